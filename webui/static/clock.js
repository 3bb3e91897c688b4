// Shows the time of the reader's device beside that of the node, and fills it in when asked. The page works without. Chromium 81 (ES2020).
(function () {
  "use strict";

  const told = document.getElementById("device-clock");
  const take = document.getElementById("take-device-clock");
  if (!told || !take) return;
  const opened = Date.now();
  const apart = Math.round(opened / 1000 - Number(told.dataset.node));

  function two(number) {
    return String(number).padStart(2, "0");
  }

  function words(seconds) {
    const size = Math.abs(seconds);
    if (size < 60) return "Selisih kurang dari satu menit.";
    const amount = size < 7200 ? Math.round(size / 60) + " menit" : size < 172800 ? Math.round(size / 3600) + " jam" : Math.round(size / 86400) + " hari";
    return "Simpul " + (seconds > 0 ? "terlambat " : "lebih cepat ") + amount + ".";
  }

  told.querySelector("strong").textContent = new Date().toLocaleString("id-ID");
  told.querySelector("span").textContent = words(apart);
  told.hidden = false;
  take.hidden = false;

  take.addEventListener("click", function () {
    const now = new Date();
    document.getElementById("date").value = now.getFullYear() + "-" + two(now.getMonth() + 1) + "-" + two(now.getDate());
    document.getElementById("time").value = two(now.getHours()) + ":" + two(now.getMinutes());
  });
})();
