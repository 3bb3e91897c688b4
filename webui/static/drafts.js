// Keeps what is typed on the server while it is typed. Without this the button "Simpan draf" does so. Chromium 81.
(function () {
  "use strict";

  const QUIET_MILLISECONDS = 2000;
  const mark = document.querySelector("input[data-draft]");
  if (!mark) return;
  const form = mark.form;
  const status = document.getElementById("draft-saved");
  let timer = null;
  let running = null;
  let sent = false;

  function tell(text) { if (status) status.textContent = text; }

  function content() {
    const typed = new URLSearchParams();
    new FormData(form).forEach(function (value, name) { if (typeof value === "string") typed.append(name, value); });
    typed.append("quiet", "1");
    return typed;
  }

  function save(leaving) {
    window.clearTimeout(timer);
    timer = null;
    if (sent) return;
    if (running) running.abort();
    running = new AbortController();
    fetch(mark.dataset.draft, {
      method: "POST", body: content(), credentials: "same-origin", keepalive: leaving, signal: leaving ? undefined : running.signal
    })
      .then(function (answer) {
        const clock = new Date();
        const minutes = ("0" + clock.getMinutes()).slice(-2);
        tell(answer.status === 204 ? "Isian tersimpan sementara pukul " + clock.getHours() + "." + minutes : "Isian belum tersimpan sementara.");
      })
      .catch(function (error) { if (error.name !== "AbortError") tell("Isian belum tersimpan sementara."); });
  }

  function later() {
    window.clearTimeout(timer);
    timer = window.setTimeout(save, QUIET_MILLISECONDS, false);
  }

  form.addEventListener("input", later);
  form.addEventListener("change", later);
  form.addEventListener("submit", function (event) {
    if (event.defaultPrevented) return;
    sent = true;
    window.clearTimeout(timer);
    if (running) running.abort();
  });
  window.addEventListener("pageshow", function () { sent = false; });
  document.addEventListener("visibilitychange", function () { if (document.hidden && timer) save(true); });
})();
