// Copies the row or field beside a button. Without this each is selected and copied by hand. Chromium 81.
(function () {
  "use strict";

  const told = document.getElementById("copied");
  document.querySelectorAll("[data-copies]").forEach(function (button) {
    const text = document.getElementById(button.dataset.copies);
    button.hidden = false;
    button.addEventListener("click", function () {
      text.focus();
      text.select();
      const done = document.execCommand("copy");
      told.textContent = done ? "Tersalin." : "Tekan Ctrl+C untuk menyalin.";
      button.classList.toggle("done", done);
    });
    text.addEventListener("focus", function () { text.select(); });
  });
})();
