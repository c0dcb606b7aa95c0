// What every page must keep, whoever reads it. Returns the faults it finds, each in words with the element.
const faults = [];
const all = (css, root) => Array.from((root || document).querySelectorAll(css));
const shown = (e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest("[aria-hidden=true]");
const brief = (e) => e.outerHTML.replace(/\s+/g, " ").slice(0, 140);
const fault = (words, e) => faults.push(words + (e ? ": " + brief(e) : ""));
const textOf = (ids) => ids.split(/\s+/).map((id) => (document.getElementById(id) || { textContent: "" }).textContent).join(" ").trim();
const nameOf = (e) =>
  (e.getAttribute("aria-labelledby") && textOf(e.getAttribute("aria-labelledby"))) || (e.getAttribute("aria-label") || "").trim() ||
  (e.labels && Array.from(e.labels).map((l) => l.textContent.trim()).join(" ").trim()) ||
  (e.getAttribute("alt") || "").trim() || (e.matches("a, button, summary, [role=button]") && e.textContent.trim()) || (e.getAttribute("title") || "").trim();

if (!document.documentElement.lang) fault("no language");
if (!document.title.trim()) fault("no title");
if (all("h1").filter(shown).length !== 1) fault("not exactly one h1 but " + all("h1").filter(shown).length);
if (all("main").length !== 1) fault("not exactly one main");
const skip = document.querySelector("a.skip");
if (!skip || !document.querySelector(skip.getAttribute("href"))) fault("no way to skip to the content");
const navs = all("nav").filter(shown);
if (document.querySelector("form[action='/sign-out']") && !navs.length) fault("no nav");
if (navs.some((n) => !nameOf(n))) fault("a nav without a name");
if (new Set(navs.map(nameOf)).size !== navs.length) fault("two navs of one name");

const ids = all("[id]").map((e) => e.id);
ids.filter((id, at) => ids.indexOf(id) !== at).forEach((id) => fault("the id " + id + " twice"));
for (const attribute of ["aria-labelledby", "aria-describedby", "aria-controls", "aria-activedescendant"]) {
  all("[" + attribute + "]").forEach((e) => e.getAttribute(attribute).split(/\s+/).forEach((id) => document.getElementById(id) || fault(attribute + " leads nowhere", e)));
}
all("label[for]").forEach((e) => document.getElementById(e.htmlFor) || fault("a label for nothing", e));
all("input:not([type=hidden]), select, textarea, button, a[href], summary, [role=combobox], progress").filter(shown).forEach((e) => nameOf(e) || fault("no name", e));
all("img, svg[role=img], [role=img]").filter(shown).forEach((e) => nameOf(e) || fault("a picture without a name", e));
all("svg:not([role=img])").filter(shown).forEach((e) => e.getAttribute("aria-hidden") === "true" || e.closest("[role=img]") || fault("a picture that says neither what it is nor that it is decoration", e));
all("[tabindex]").forEach((e) => e.tabIndex > 0 && fault("an order of its own", e));
all("table").filter(shown).forEach((e) => {
  if (!e.querySelector("th[scope]")) fault("a table without heads", e);
  all("th", e).forEach((h) => h.getAttribute("scope") || fault("a head without scope", h));
});
all("ul > *:not(li), ol > *:not(li)").forEach((e) => fault("in a list but no item", e));
let level = 0;
all("h1, h2, h3, h4, h5, h6").filter(shown).forEach((e) => {
  const now = Number(e.tagName[1]);
  if (level && now > level + 1) fault("a heading level left out", e);
  level = now;
});
all("[style]").forEach((e) => fault("a style in the page", e));
all("*").forEach((e) => e.getAttributeNames().some((n) => /^on/.test(n)) && fault("a script in the page", e));

// WCAG 2.5.8: 24 px, but for links in a sentence and for controls whose label is as large.
all("a[href], button, input:not([type=hidden]), select, textarea, summary").filter(shown).forEach((e) => {
  if (e.matches(".skip, .vh") || (e.tagName === "A" && getComputedStyle(e).display === "inline")) return;
  const target = (e.labels && Array.from(e.labels).find((l) => l.contains(e))) || e;
  const box = target.getBoundingClientRect();
  if (box.width && (box.width < 23.9 || box.height < 23.9)) fault("a target of " + Math.round(box.width) + " by " + Math.round(box.height), e);
});
return faults;
