// The pairs that the head of tokens.css promises. Returns those that fall short, and how many were measured.
const style = getComputedStyle(document.documentElement);
const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
const token = (name) => style.getPropertyValue("--" + name).trim();
const light = (name) => {
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = token(name);
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b] = Array.from(paint.getImageData(0, 0, 1, 1).data).map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
const short = [];
let measured = 0;
const pair = (ink, ground, least) => {
  if (!token(ink) || !token(ground)) { short.push("no token " + (token(ink) ? ground : ink)); return; }
  measured += 1;
  if (ratio(ink, ground) < least - 0.005) short.push(ink + " on " + ground + " is " + ratio(ink, ground).toFixed(2) + " of " + least);
};
for (const ground of ["page", "surface", "sunken"]) {
  for (const ink of ["ink", "ink-2"]) pair(ink, ground, 7);
  for (const ink of ["ink-3", "accent", "ok", "warn", "bad", "aca", "seb", "hlt", "fam"]) pair(ink, ground, 4.5);
  pair("line-2", ground, 3);
  pair("focus", ground, 3);
}
for (const name of ["aca", "seb", "hlt", "fam", "ok", "warn", "bad"]) pair(name, name + "-soft", 4.5);
for (const name of ["accent", "bad"]) pair("on-" + name, name, 4.5);
for (const step of ["c1", "c2", "c3", "c4"]) pair("on-" + step, step, 4.5);
pair("on-strength", "strength", 4.5);
return { short, measured, page: token("page") };
