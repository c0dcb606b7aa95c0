/* Small extras on pages of the practice: printing, and focus after an act. Nothing depends on them. */
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    const button = event.target.closest("[data-print]");
    if (button) window.print();
  });
  let before = null;
  document.addEventListener("htmx:beforeRequest", function (event) {
    const form = event.detail.elt.closest("form[hx-boost]");
    before = form ? Array.from(document.querySelectorAll("#main form, #main a")).indexOf(form) : null;
  });
  document.addEventListener("htmx:afterSettle", function () {
    if (before === null || document.activeElement !== document.body) return;
    const stops = document.querySelectorAll("#main form, #main a");
    const near = stops[Math.min(before, stops.length - 1)];
    const to = near && (near.matches("a") ? near : near.querySelector("button, select, input:not([type=hidden])"));
    before = null;
    if (to) to.focus({ preventScroll: true });
  });
})();
