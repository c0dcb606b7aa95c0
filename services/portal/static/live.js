// Others at work on the same class. The server's event stream says that something changed; the page then asks for the
// student as it is now and merges it line by line. What has focus, or waits for an answer, is never swapped.
(function () {
  "use strict";

  var doc = document;
  var $ = function (id) { return doc.getElementById(id); };
  var main = function () { return doc.querySelector("main.review"); };
  var shared = window.wraparoundReview = window.wraparoundReview || {};

  // ---------- what is under way ----------
  var busy = 0, wanted = false, timer = null;
  doc.addEventListener("htmx:beforeSend", function () { busy += 1; });
  doc.addEventListener("htmx:afterRequest", function (event) {
    if (event.detail.xhr) busy = Math.max(0, busy - 1);
    if (wanted) soon();
  });

  function soon() {
    wanted = true;
    clearTimeout(timer);
    timer = setTimeout(look, 150);
  }

  function look() {
    var student = $("student");
    if (!wanted || busy > 0 || !student || !student.dataset.path || (shared.waiting && shared.waiting())) return;
    wanted = false;
    var path = student.dataset.path;
    fetch(path, { headers: { "HX-Request": "true", "X-Live": "1" }, credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (html) {
        if (busy > 0 || !$("student") || $("student").dataset.path !== path) { soon(); return; }
        if (html) merge(html);
      })
      .catch(function () { /* the stream or the next write says that the network is away */ });
  }

  // An answer to a write brings the student's new version. Where somebody else decided meanwhile, the page keeps its own
  // version until it shows what they decided, so that nothing is overwritten unseen.
  doc.addEventListener("htmx:oobBeforeSwap", function (event) {
    var fragment = event.detail.fragment, old = event.detail.target;
    var fresh = fragment && fragment.querySelector && fragment.querySelector("#sr-version");
    if (!old || old.id !== "sr-version" || !fresh || fresh.hasAttribute("data-own") || fresh.dataset.decided === old.dataset.decided) return;
    event.detail.shouldSwap = false;
    soon();
  });

  // ---------- the merge ----------
  function held(element) { return element.contains(doc.activeElement) || !!element.querySelector(".conflict"); }

  function versionOf(entry) {
    var field = $("ver-" + entry.id.slice(2));
    return field && entry.contains(field) ? field.value : entry.dataset.v;
  }

  function mergeEntries(student, now) {
    var lines = "#domains .entry, .chip[id], .former[id], [data-prior]";
    var known = {};
    Array.from(now.querySelectorAll(lines)).forEach(function (fresh) {
      known[fresh.id] = true;
      var old = $(fresh.id);
      if (!old) {
        var home = fresh.closest(".needs, .chips"), place = home && $(home.id);
        if (!place) return;
        place.insertBefore(fresh, place.querySelector(":scope > .adder-item"));
        window.htmx.process(fresh);
      } else if (fresh.dataset.v && versionOf(old) !== fresh.dataset.v && !held(old)) {
        old.replaceWith(fresh);
        window.htmx.process(fresh);
      }
    });
    student.querySelectorAll(lines).forEach(function (old) {
      if (!known[old.id] && !held(old)) old.remove();
    });
  }

  function mergeDecision(now) {
    var all = true;
    now.querySelectorAll("#decide-form select, #decide-form input:not([type=hidden]), input.nc").forEach(function (fresh) {
      var old = $(fresh.id);
      if (!old) return;
      var same = old.type === "checkbox" ? old.checked === fresh.checked : old.value === fresh.value;
      if (same) return;
      if (old === doc.activeElement) { all = false; return; }
      if (old.type === "checkbox") old.checked = fresh.checked; else old.value = fresh.value;
    });
    // Where a field in use differs, the version stays behind, so that its next change is shown beside theirs.
    var version = now.querySelector("#sr-version");
    if (all && version && $("sr-version")) {
      $("sr-version").value = version.value;
      $("sr-version").dataset.decided = version.dataset.decided;
    }
    var why = now.querySelector("#why-field");
    if (why && $("why-field")) $("why-field").hidden = why.hidden;
  }

  function swap(fragment, id) {
    var fresh = fragment.querySelector("#" + id), old = $(id);
    if (!fresh || !old || held(old)) return;
    fresh.removeAttribute("hx-swap-oob");
    old.replaceWith(fresh);
    window.htmx.process(fresh);
  }

  function merge(html) {
    var template = doc.createElement("template");
    template.innerHTML = html;
    var fragment = template.content, now = fragment.querySelector("#student"), student = $("student");
    if (now && student) {
      var typing = doc.activeElement && doc.activeElement.matches("input:not([type=checkbox]):not([type=radio]), textarea");
      if (now.dataset.open !== student.dataset.open) {
        if (!typing && !student.querySelector(".conflict")) {
          var inside = student.contains(doc.activeElement);
          student.replaceWith(now);
          window.htmx.process(now);
          if (inside) $("student-name").focus({ preventScroll: true });
        }
      } else {
        mergeEntries(student, now);
        mergeDecision(now);
        swap(now, "suggested");
      }
    }
    ["head-line", "head-meter", "head-acts"].forEach(function (id) { swap(fragment, id); });
    mergeRoster(fragment);
    doc.dispatchEvent(new CustomEvent("wraparound:merged"));
  }

  function mergeRoster(fragment) {
    var fresh = fragment.querySelector("#roster"), old = $("roster");
    if (!fresh || !old) return;
    var at = old.contains(doc.activeElement) ? doc.activeElement.getAttribute("href") : null;
    fresh.removeAttribute("hx-swap-oob");
    old.replaceWith(fresh);
    window.htmx.process(fresh);
    if (at) { var line = fresh.querySelector('a[href="' + CSS.escape(at) + '"]'); if (line) line.focus({ preventScroll: true }); }
    showHere();
  }

  // ---------- who else is here ----------
  var here = [], lost = "";
  function showHere() {
    var box = $("presence");
    if (!box) return;
    box.textContent = "";
    here.forEach(function (person) {
      var mark = doc.createElement("span"), words = doc.createElement("span");
      mark.className = "initials";
      mark.setAttribute("aria-hidden", "true");
      mark.textContent = person.initials;
      words.className = "soft";
      words.textContent = person.name + (person.role ? ", " + person.role : "") + (lost ? ", last seen " + lost : ", is here");
      box.append(mark, words);
    });
    doc.querySelectorAll("#roster a[data-student]").forEach(function (line) {
      var who = here.filter(function (person) { return person.student === line.dataset.student; });
      var note = line.querySelector(".also");
      if (!who.length) { if (note) note.remove(); return; }
      if (!note) { note = doc.createElement("span"); note.className = "also initials"; line.appendChild(note); }
      note.textContent = who[0].initials;
      note.title = who[0].name + " is on this student";
    });
  }

  // ---------- the stream ----------
  // My own writes come back by the stream too; where the page shows them already, nothing is asked for.
  function known(told) {
    var student = $("student"), version = $("sr-version");
    if (!student || student.dataset.student !== told.student || !version || Number(version.value) !== told.version) return false;
    var lines = Array.from(student.querySelectorAll("#domains .entry, .chip[id]"));
    return lines.length === told.entries.length && told.entries.every(function (entry) {
      var line = $("e-" + entry[0]);
      return line && Number(versionOf(line)) === entry[1];
    });
  }

  var source = null;
  function connect() {
    if (source) source.close();
    var student = $("student");
    source = new EventSource("/reviews/" + main().dataset.review + "/stream?student=" + ((student && student.dataset.student) || ""));
    source.addEventListener("presence", function (event) { here = JSON.parse(event.data); lost = ""; showHere(); });
    source.addEventListener("student", function (event) { if (!known(JSON.parse(event.data))) soon(); });
    source.addEventListener("class", soon);
    source.onopen = function () {
      lost = "";
      showHere();
      soon();
      if (shared.back) shared.back();
    };
    source.onerror = function () {
      if (!lost) lost = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      showHere();
      if (source.readyState === EventSource.CLOSED) { source = null; }
    };
  }
  window.addEventListener("pagehide", function () { if (source) source.close(); });

  // ---------- minutes: only while somebody is at work ----------
  var acted = false, told = 0;
  function act() { acted = true; if (Date.now() - told > 45000) tell(); }
  function tell() {
    if (!acted || !main() || doc.hidden || (shared.waiting && shared.waiting())) return;
    acted = false;
    told = Date.now();
    var student = $("student"), minutes = $("minutes");
    var body = new URLSearchParams({ csrf: main().dataset.csrf, student: (student && student.dataset.student) || "", done: (minutes && minutes.dataset.done) || "0" });
    fetch("/reviews/" + main().dataset.review + "/activity", { method: "POST", body: body, headers: { "HX-Request": "true" }, credentials: "same-origin" })
      .then(function (answer) { return answer.status === 200 ? answer.text() : ""; })
      .then(function (words) { if (words && $("minutes")) $("minutes").textContent = "· " + words; })
      .catch(function () { /* the minute is not counted */ });
  }

  shared.look = soon;
  shared.merge = merge;
  function begin() {
    if (!main()) return;
    connect();
    ["keydown", "pointerdown"].forEach(function (name) { doc.addEventListener(name, act, { passive: true }); });
    setInterval(tell, 45000);
    doc.addEventListener("htmx:afterSettle", showHere);
  }
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", begin); else begin();
})();
