// Only improves pages that already work without it: the power banner on a page that stays open, one click one save,
// and the menu that closes. Written for Chromium 81 (ES2020).
(function () {
  "use strict";

  const POLL_MILLISECONDS = 5000;
  const AGAIN_MILLISECONDS = 20000;

  function watchPower() {
    const banner = document.getElementById("power");
    const address = document.body.dataset.power;
    if (!banner || !address) return;
    const text = banner.querySelector("p"), count = banner.querySelector(".power-count");
    let end = null; // on the clock of the page, which no correction of the tablet's own clock moves

    function countFrom(seconds) {
      end = typeof seconds === "number" ? performance.now() + seconds * 1000 : null;
      tick();
    }

    function tick() {
      count.hidden = end === null;
      if (end === null) return;
      const left = Math.max(0, Math.ceil((end - performance.now()) / 1000));
      count.textContent = Math.floor(left / 60) + "." + ("0" + left % 60).slice(-2);
    }

    function show(state) {
      countFrom(state.seconds);
      if (text.textContent !== state.sentence) text.textContent = state.sentence;
      banner.className = "power " + state.tone;
      banner.hidden = !state.sentence;
    }

    function ask() {
      fetch(address, { cache: "no-store", credentials: "same-origin" })
        .then(function (answer) { return answer.ok ? answer.json() : null; })
        .then(function (state) { if (state) show(state); })
        .catch(function () {
          show({ tone: "bad", sentence: "Server tidak menjawab. Jangan tutup halaman ini; isian Anda masih ada di layar." });
        })
        .then(function () { window.setTimeout(ask, POLL_MILLISECONDS); });
    }
    window.setTimeout(ask, POLL_MILLISECONDS);
    window.setInterval(tick, 1000);
    countFrom(count.dataset.seconds ? Number(count.dataset.seconds) : null);
  }

  function release(form) {
    delete form.dataset.sent;
    form.querySelectorAll("button").forEach(function (button) { button.removeAttribute("aria-disabled"); });
  }

  function sendOnce() {
    document.addEventListener("submit", function (event) {
      const form = event.target;
      if (event.defaultPrevented) return;
      if (form.dataset.sent) { event.preventDefault(); return; }
      form.dataset.sent = "yes";
      form.querySelectorAll("button").forEach(function (button) { button.setAttribute("aria-disabled", "true"); });
      // When no answer comes, the person may try again.
      window.setTimeout(release, AGAIN_MILLISECONDS, form);
    });
    // A page that comes back from the history must be usable again.
    window.addEventListener("pageshow", function () {
      document.querySelectorAll("form[data-sent]").forEach(release);
    });
  }

  function closeMenu() {
    const menu = document.querySelector("details.who");
    if (!menu) return;
    document.addEventListener("click", function (event) { if (!menu.contains(event.target)) menu.open = false; });
    document.addEventListener("keydown", function (event) { if (event.key === "Escape") menu.open = false; });
  }

  function goToProblems() {
    const problems = document.getElementById("problems");
    if (problems) problems.focus();
  }

  // Hamlets, RW and RT follow the village that is chosen; without this the page suggests what it was made with.
  function suggestPlaces() {
    const mark = document.getElementById("suggest");
    const village = mark && document.getElementById(mark.dataset.village);
    if (!village) return;

    function fill(name, texts) {
      const list = document.getElementById(name + "-suggestions");
      if (!list) return;
      list.textContent = "";
      (texts || []).forEach(function (text) {
        const option = document.createElement("option");
        option.value = text;
        list.appendChild(option);
      });
    }

    village.addEventListener("change", function () {
      const code = village.value;
      if (!code) return;
      fetch(mark.dataset.url.replace("KODE", encodeURIComponent(code)), { credentials: "same-origin" })
        .then(function (answer) { return answer.ok ? answer.json() : {}; })
        .then(function (found) {
          if (village.value === code) ["hamlet", "rw", "rt"].forEach(function (name) { fill(name, found[name]); });
        })
        .catch(function () { /* the field still takes any text */ });
    });
  }

  watchPower();
  suggestPlaces();
  sendOnce();
  closeMenu();
  goToProblems();
})();
