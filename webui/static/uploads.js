// Tells before they are sent that the chosen files are too many to be taken at once. The server asks again. Chromium 81.
(function () {
  "use strict";

  const MEGABYTE = 1024 * 1024;
  const input = document.querySelector("input[type=file][data-most]");
  if (!input) return;
  const told = document.getElementById(input.dataset.told);

  function tooLarge() {
    const bytes = Array.from(input.files).reduce(function (sum, file) { return sum + file.size; }, 0);
    return bytes > Number(input.dataset.most) * MEGABYTE ? Math.ceil(bytes / MEGABYTE) : 0;
  }

  function tell() {
    const megabytes = tooLarge();
    told.textContent = megabytes
      ? "Berkas yang dipilih bersama-sama " + megabytes + " MB; paling banyak " + input.dataset.most + " MB sekali kirim. Pilih lebih sedikit, kirim sisanya kemudian."
      : "";
  }

  input.addEventListener("change", tell);
  input.form.addEventListener("submit", function (event) {
    tell();
    // "Simpan draf" sends no files.
    const plain = event.submitter && event.submitter.hasAttribute("formenctype");
    if (tooLarge() && !plain) {
      event.preventDefault();
      input.focus();
    }
  });
})();
