// Fills in where the visit is, when the tablet knows and its owner allows it. The page works without. Chromium 81 (ES2020).
(function () {
  "use strict";

  const button = document.getElementById("locate");
  const told = document.getElementById("located");
  if (!button || !navigator.geolocation || !window.isSecureContext) return;
  button.hidden = false;

  function fill(position) {
    document.getElementById("latitude").value = position.coords.latitude.toFixed(6);
    document.getElementById("longitude").value = position.coords.longitude.toFixed(6);
    told.textContent = "Lokasi terisi, ketelitian " + Math.round(position.coords.accuracy) + " meter.";
  }

  function fail() {
    told.textContent = "Lokasi tidak diperoleh. Keluar ke tempat terbuka lalu coba lagi, atau isi dengan tangan.";
  }

  button.addEventListener("click", function () {
    told.textContent = "Mencari lokasi …";
    navigator.geolocation.getCurrentPosition(fill, fail, { enableHighAccuracy: true, timeout: 60000 });
  });
})();
