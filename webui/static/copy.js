// Copies a text that stands in a field. Without this it is selected and copied by hand. Chromium 81.
(function () {
  "use strict";

  const button = document.getElementById("copy");
  const text = document.getElementById("whatsapp");
  const told = document.getElementById("copied");
  if (!button || !text) return;
  button.hidden = false;
  button.addEventListener("click", function () {
    text.focus();
    text.select();
    told.textContent = document.execCommand("copy") ? "Teks tersalin. Tempelkan di WhatsApp." : "Tekan Ctrl+C untuk menyalin.";
  });
})();
