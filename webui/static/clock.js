// Shows the time of the reader's device beside that of the node, and fills it in when asked. The page works without. Chromium 81 (ES2020).
(function () {
  "use strict";

  const told = document.getElementById("device-clock");
  const take = document.getElementById("take-device-clock");
  if (!told || !take) return;
  const opened = Date.now();
  const apart = Math.round(opened / 1000 - Number(told.dataset.node));

  // ["29-11-2026", "10.47"] in the office's zone, whatever zone the device is set to
  function asWritten() {
    const parts = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
    const text = new Intl.DateTimeFormat("sv-SE", Object.assign({ timeZone: told.dataset.zone }, parts)).format(new Date());
    return [text.slice(0, 10).split("-").reverse().join("-"), text.slice(11).replace(":", ".")];
  }

  function words(seconds) {
    const size = Math.abs(seconds);
    if (size < 60) return "Selisih kurang dari satu menit.";
    const amount = size < 7200 ? Math.round(size / 60) + " menit" : size < 172800 ? Math.round(size / 3600) + " jam" : Math.round(size / 86400) + " hari";
    return "Simpul " + (seconds > 0 ? "terlambat " : "lebih cepat ") + amount + ".";
  }

  told.querySelector("strong").textContent = asWritten().join(" pukul ");
  told.querySelector("span").textContent = words(apart);
  told.hidden = false;
  take.hidden = false;

  take.addEventListener("click", function () {
    const [date, time] = asWritten();
    document.getElementById("date").value = date;
    document.getElementById("time").value = time;
  });
})();
