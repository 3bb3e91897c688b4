// Shows the papers of the service that is chosen, instead of those of all. Without this all stand below each other, folded.
(function () {
  "use strict";

  const choice = document.getElementById("service_type_id");
  const fold = document.getElementById("papers-to-bring");
  if (!choice || !fold) return;
  const parts = fold.querySelectorAll(".needs");
  const title = document.getElementById("papers-of");

  function show() {
    let count = 0;
    parts.forEach(function (part) {
      part.hidden = part.dataset.service !== choice.value;
      if (!part.hidden) count = part.querySelectorAll("li").length;
    });
    title.textContent = choice.value ? (count ? count + " berkas" : "tanpa berkas") : "";
    fold.hidden = !choice.value;
    fold.open = count > 0;
  }
  choice.addEventListener("change", show);
  window.addEventListener("pageshow", show);
  show();
})();
