// What is wider than the page, outside of what may scroll by itself.
const width = document.documentElement.clientWidth, found = [];
if (document.scrollingElement.scrollWidth > width) found.push("the page is " + document.scrollingElement.scrollWidth + " wide, of " + width);
document.querySelectorAll("body *").forEach((e) => {
  if (!e.checkVisibility() || e.closest(".vh, .skip, svg, [hidden]")) return;
  for (let above = e.parentElement; above && above !== document.body; above = above.parentElement) {
    if (/auto|scroll|hidden|clip/.test(getComputedStyle(above).overflowX)) return;
  }
  const box = e.getBoundingClientRect();
  if (box.width && (box.right > width + 1 || box.left < -1)) found.push(Math.round(box.left) + " to " + Math.round(box.right) + ": " + e.outerHTML.replace(/\s+/g, " ").slice(0, 120));
});
return found.slice(0, 8);
