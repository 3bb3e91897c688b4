// Only improves a printed sheet that already prints without it: the button that opens the printing window.
(function () {
  "use strict";

  const button = document.getElementById("print");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", function () { window.print(); });
})();
