// A page that stays open shows how far its export is, and shows the button when it is ready. Chromium 81; works without it too.
(function () {
  "use strict";

  const PAUSE_MILLISECONDS = 2000;
  const panel = document.getElementById("progress");
  const bar = panel.querySelector("progress");

  function show(answer) {
    if (answer.state !== "menunggu" && answer.state !== "berjalan") { window.location.reload(); return; }
    document.getElementById("done").textContent = answer.done;
    if (answer.percent !== null) bar.value = answer.percent;
    window.setTimeout(ask, PAUSE_MILLISECONDS);
  }

  function ask() {
    fetch(panel.dataset.address, { cache: "no-store", credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(show)
      // The banner says that the server does not answer; try again in peace.
      .catch(function () { window.setTimeout(ask, 5 * PAUSE_MILLISECONDS); });
  }
  window.setTimeout(ask, PAUSE_MILLISECONDS);
})();
