// Tells who else has the page of this case open, while it is open. Without script the page shows who had when it was loaded.
(function () {
  "use strict";

  const POLL_MILLISECONDS = 30000;
  const line = document.getElementById("looking");
  if (!line) return;

  function ask() {
    if (document.hidden) { later(); return; }
    fetch(line.dataset.address, { cache: "no-store", credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.json() : null; })
      .then(function (found) {
        if (!found) return;
        if (line.textContent !== found.sentence) line.textContent = found.sentence;
        line.hidden = !found.sentence;
      })
      .catch(function () {})
      .then(later);
  }

  function later() { window.setTimeout(ask, POLL_MILLISECONDS); }
  later();
})();
