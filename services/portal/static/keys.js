// Keyboard, type-ahead and focus on the class review, and small things on every page. Every key clicks a real
// control; without this script the same forms and links work by themselves. No student data is stored here.
(function () {
  "use strict";

  var doc = document;
  doc.documentElement.classList.add("scripted");
  var $ = function (id) { return doc.getElementById(id); };
  var review = function () { return doc.querySelector("main.review"); };
  var subject = function () { return $("student"); };

  // ---------- ids: UUIDv7, so that an entry has its id before the server has seen it ----------
  function uuid7() {
    var bytes = new Uint8Array(16);
    crypto.getRandomValues(bytes);
    var now = Date.now();
    for (var at = 5; at >= 0; at -= 1) { bytes[at] = now % 256; now = Math.floor(now / 256); }
    bytes[6] = (bytes[6] & 15) | 112;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.prototype.map.call(bytes, function (byte) { return (byte + 256).toString(16).slice(1); }).join("");
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
  }

  // ---------- the switch for single keys ----------
  var KEYS = "wraparound-single-keys";
  function keysOn() {
    try { return localStorage.getItem(KEYS) !== "off"; } catch (error) { return true; }
  }
  doc.addEventListener("change", function (event) {
    if (event.target.id !== "keys-on") return;
    try { localStorage.setItem(KEYS, event.target.checked ? "on" : "off"); } catch (error) { /* not kept, still works */ }
  });

  // ---------- after each page and swap ----------
  function refresh() {
    var on = $("keys-on");
    if (on) on.checked = keysOn();
    doc.querySelectorAll("time[data-clock]").forEach(function (time) {
      time.textContent = new Date(time.getAttribute("datetime")).toLocaleTimeString();
    });
    showReasons();
  }

  function showReasons() {
    var tier = $("tier"), suggested = $("suggested");
    if (!tier || !suggested) return;
    $("why-field").hidden = !tier.value || tier.value === suggested.dataset.tier;
    $("why-text-field").hidden = $("why").value !== "other";
    $("no-strength-field").hidden = !!doc.querySelector("#domains .chip.strength");
  }
  doc.addEventListener("change", showReasons);

  // ---------- the code list ----------
  var codes = null;
  var waiting = [];
  function withCodes(then) {
    if (codes) { then(); return; }
    waiting.push(then);
    if (waiting.length > 1) return;
    fetch(review().dataset.codes, { credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.json() : []; })
      .catch(function () { return []; })
      .then(function (list) {
        codes = list;
        waiting.splice(0).forEach(function (next) { next(); });
      });
  }

  function rank(code, words) {
    var label = code.label.toLowerCase();
    if (!words || code.code.toLowerCase() === words || label === words) return 0;
    if (label.indexOf(words) === 0) return 1;
    if (label.split(/[^\p{L}\p{N}]+/u).some(function (word) { return word.indexOf(words) === 0; })) return 2;
    if (code.synonyms.some(function (word) { return word.toLowerCase().indexOf(words) === 0; })) return 3;
    if (label.indexOf(words) >= 0 || code.code.toLowerCase().indexOf(words) >= 0) return 4;
    return -1;
  }

  function matches(adder, words) {
    var polarity = adder.dataset.polarity === "observation" ? "need" : adder.dataset.polarity, domain = adder.dataset.domain;
    return codes
      .filter(function (code) { return code[polarity] && (polarity === "interest" || code.domain === domain); })
      .map(function (code) { return { code: code, rank: rank(code, words) }; })
      .filter(function (found) { return found.rank >= 0; })
      .sort(function (one, other) { return one.rank - other.rank; })
      .map(function (found) { return found.code; });
  }

  // ---------- type-ahead: a combobox with a listbox ----------
  function comboOf(input) {
    var adder = input.closest(".adder");
    return { adder: adder, form: input.form, input: input, box: adder.querySelector(".listbox"),
             list: adder.querySelector(".options"), count: adder.querySelector(".listbox [role=status]") };
  }

  function suggest(input) {
    withCodes(function () {
      var combo = comboOf(input), words = input.value.trim().toLowerCase();
      combo.list.textContent = "";
      var found = matches(combo.adder, words);
      found.forEach(function (code, at) {
        var option = doc.createElement("li");
        option.className = "option";
        option.id = combo.list.id + "-" + at;
        option.setAttribute("role", "option");
        option.setAttribute("aria-selected", at === 0 && words ? "true" : "false");
        option.dataset.code = code.code;
        option.appendChild(marked(code.label, words));
        var end = doc.createElement("span");
        end.className = "end meta";
        end.textContent = code.restricted ? "restricted" : code.code;
        option.appendChild(end);
        combo.list.appendChild(option);
      });
      combo.count.textContent = found.length === 1 ? "1 match" : found.length + " matches";
      combo.box.hidden = found.length === 0;
      input.setAttribute("aria-expanded", found.length ? "true" : "false");
      point(combo, words ? 0 : -1);
    });
  }

  function marked(label, words) {
    var span = doc.createElement("span"), at = words ? label.toLowerCase().indexOf(words) : -1;
    if (at < 0) { span.textContent = label; return span; }
    var mark = doc.createElement("mark");
    mark.textContent = label.slice(at, at + words.length);
    span.append(label.slice(0, at), mark, label.slice(at + words.length));
    return span;
  }

  function point(combo, at) {
    var options = combo.list.children;
    for (var each = 0; each < options.length; each += 1) options[each].setAttribute("aria-selected", each === at ? "true" : "false");
    if (at >= 0 && options[at]) {
      combo.input.setAttribute("aria-activedescendant", options[at].id);
      options[at].scrollIntoView({ block: "nearest" });
    } else {
      combo.input.removeAttribute("aria-activedescendant");
    }
  }

  function selectedAt(combo) {
    return Array.prototype.findIndex.call(combo.list.children, function (option) {
      return option.getAttribute("aria-selected") === "true";
    });
  }

  var arriving = null;
  function choose(combo, code) {
    var field = combo.form.elements;
    field.namedItem("code").value = code;
    var id = uuid7();
    field.namedItem("entry_id").value = id;
    field.namedItem("request_id").value = uuid7();
    var section = combo.adder.closest("[data-domain]:not(.adder)");
    section.dataset.added = "1";
    arriving = { id: "e-" + id, from: section };
    combo.form.requestSubmit();
    close(combo, section);
    focusArriving(true);
  }

  function close(combo, focus) {
    combo.input.value = "";
    combo.box.hidden = true;
    combo.list.textContent = "";
    combo.input.setAttribute("aria-expanded", "false");
    combo.input.removeAttribute("aria-activedescendant");
    combo.adder.open = false;
    if (focus) focus.focus();
  }

  function openAdder(section, polarity) {
    var adder = section.querySelector('.adder[data-polarity="' + polarity + '"]');
    if (!adder) { section.focus(); return; }
    adder.open = true;
    adder.querySelector("input[role=combobox]").focus();
  }

  doc.addEventListener("toggle", function (event) {
    if (event.target.matches && event.target.matches("details.adder") && event.target.open) {
      var input = event.target.querySelector("input[role=combobox]");
      input.focus();
      suggest(input);
    }
  }, true);
  doc.addEventListener("input", function (event) {
    if (event.target.matches("input[role=combobox]")) suggest(event.target);
  });
  doc.addEventListener("mousedown", function (event) {
    var option = event.target.closest(".option");
    if (!option) return;
    event.preventDefault();
    choose(comboOf(option.closest(".adder").querySelector("input[role=combobox]")), option.dataset.code);
  });

  function inCombo(event, input) {
    var combo = comboOf(input), count = combo.list.children.length, at = selectedAt(combo);
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (count) point(combo, (at + (event.key === "ArrowDown" ? 1 : count + (at < 0 ? 0 : -1))) % count);
    } else if (event.key === "Enter") {
      event.preventDefault();
      withCodes(function () {
        if (!combo.list.children.length && input.value.trim()) suggest(input);
        var now = combo.list.children[Math.max(selectedAt(combo), 0)];
        if (now && (input.value.trim() || selectedAt(combo) >= 0)) choose(combo, now.dataset.code);
      });
    } else if (event.key === "Escape") {
      event.preventDefault();
      close(combo, combo.adder.querySelector("summary"));
    } else if (!input.value && keysOn() && /^[1-5]$/.test(event.key)) {
      event.preventDefault();
      var section = combo.adder.closest("[data-domain]:not(.adder)");
      var polarity = section.dataset.key === event.key && combo.adder.dataset.polarity === "strength" ? "need" : "strength";
      close(combo, null);
      goTo(event.key, polarity);
    }
  }

  // ---------- entries of an earlier review: one tap each, then the next ----------
  function answerPrior(value) {
    var open = Array.from(doc.querySelectorAll("[data-prior]:not([data-sent])"));
    var here = doc.activeElement.closest("[data-prior]");
    var line = open.indexOf(here) >= 0 ? here : open[0];
    if (!line) return false;
    var button = line.querySelector('button[value="' + value + '"]');
    if (button) button.click();
    return true;
  }
  doc.addEventListener("click", function (event) {
    var button = event.target.closest("[data-prior] button");
    if (!button) return;
    var line = button.closest("[data-prior]"), section = line.closest("[data-domain]:not(.adder)");
    var open = Array.from(doc.querySelectorAll("[data-prior]:not([data-sent])"));
    var next = open[open.indexOf(line) + 1] || open.find(function (other) { return other !== line; });
    line.dataset.sent = "1";
    var field = line.querySelector('input[name="new_entry_id"]');
    field.value = uuid7();
    if (button.value !== "no_longer") section.dataset.added = "1";
    // After the click has been handled, focus moves on; a changed need takes it once it is there.
    setTimeout(function () {
      (next || section).focus();
      if (button.value === "changed") { arriving = { id: "e-" + field.value, from: doc.activeElement }; focusArriving(true); }
    }, 0);
  });
  doc.addEventListener("htmx:responseError", function (event) {
    var line = event.detail.elt.closest && event.detail.elt.closest("[data-prior]");
    if (line) delete line.dataset.sent;
  });

  // ---------- single keys ----------
  var ORDER = ["aca", "seb", "hlt", "fam"];
  function goTo(key, polarity) {
    if (key === "5") { openAdder($("dom-int"), "interest"); return; }
    openAdder($("dom-" + ORDER[Number(key) - 1]), polarity || "strength");
  }

  function isOpen(section) {
    var mark = $("nc-" + section.dataset.domain);
    return !section.dataset.added && !section.querySelector(".entry, .chip.strength") && !(mark && mark.checked);
  }

  function noConcern() {
    var here = doc.activeElement.closest("#domains [data-domain]:not(.adder)");
    var sections = ORDER.map(function (name) { return $("dom-" + name); });
    var at = here ? sections.indexOf(here) : 0;
    var order = sections.slice(at).concat(sections.slice(0, at));
    var target = order.find(isOpen);
    if (target) {
      var mark = $("nc-" + target.dataset.domain);
      if (mark) { mark.checked = true; mark.dispatchEvent(new Event("change", { bubbles: true })); }
      if (sections.some(isOpen)) { target.focus(); return; }
    }
    if ($("tier")) $("tier").focus();
  }

  function onNeed(event, entry) {
    var form = entry.querySelector("form.tools");
    if (!form) return false;
    var certainty = { o: "observed", s: "suspected", c: "confirmed" }[event.key];
    if (form.elements.namedItem("certainty") === null && (certainty || /^[123]$/.test(event.key))) {
      return false;
    } else if (/^[123]$/.test(event.key)) {
      var radio = form.querySelector('input[name="severity"][value="' + event.key + '"]');
      if (!radio.checked) radio.click();
    } else if (certainty) {
      var select = form.elements.namedItem("certainty");
      select.value = certainty;
      select.dispatchEvent(new Event("change", { bubbles: true }));
    } else if (event.key === "m" || event.key === "r") {
      var part = entry.querySelector(event.key === "m" ? "details.more" : "details.readers");
      part.open = true;
      part.querySelector("textarea, select").focus();
    } else if (event.key === "Enter") {
      entry.closest("[data-domain]:not(.adder)").focus();
    } else {
      return false;
    }
    return true;
  }

  function click(id) {
    var control = $(id);
    if (control) control.click();
    return !!control;
  }

  function onReview(event) {
    switch (event.key) {
      case "1": case "2": case "3": case "4": case "5": goTo(event.key); return true;
      case "y": return answerPrior("still_true");
      case "c": return answerPrior("changed");
      case "n": return answerPrior("no_longer");
      case "0": noConcern(); return true;
      case "t": if ($("tier")) $("tier").focus(); return true;
      case "d": return click("done");
      case "l": return click("later");
      case "j": return click("next-student");
      case "k": return click("previous-student");
      case "u": return click("undo");
      case "/": return click("find-student");
      case "?": if ($("keys")) { $("keys").scrollIntoView(); $("keys").focus(); } return true;
      default: return false;
    }
  }

  function inTier(event) {
    // "t" said twice must not choose the first tier by its letter.
    if (event.key === "t") { event.preventDefault(); return; }
    if (event.key !== "Enter") return;
    event.preventDefault();
    var tier = event.target, suggested = $("suggested").dataset.tier;
    if (!tier.value && suggested) {
      tier.value = suggested;
      tier.dispatchEvent(new Event("change", { bubbles: true }));
    }
    showReasons();
    ($("why-field").hidden ? $("done") : $("why")).focus();
  }

  doc.addEventListener("keydown", function (event) {
    var main = review(), target = event.target;
    if (!main || event.defaultPrevented || event.isComposing) return;
    var text = target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !text && click("undo")) { event.preventDefault(); return; }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input[role=combobox]")) { inCombo(event, target); return; }
    if (target.id === "tier") { inTier(event); return; }
    if (target.id === "why" && event.key === "Enter") { event.preventDefault(); $("done").focus(); return; }
    if (text) {
      var note = target.closest(".entry");
      if (event.key === "Escape" && note) { event.preventDefault(); note.focus(); }
      if (event.key === "Enter" && target.matches("#decide-form input")) event.preventDefault();
      return;
    }
    if (!keysOn() || !main.contains(target)) return;
    var entry = target.closest(".entry");
    if (entry && entry !== target && event.key === "Enter") return;
    if ((entry && onNeed(event, entry)) || onReview(event)) event.preventDefault();
  });

  // ---------- focus and htmx ----------
  function arrive() {
    var wanted = subject() && subject().dataset.focus && $(subject().dataset.focus);
    if (!wanted && /^#e-/.test(location.hash)) wanted = $(location.hash.slice(1));
    var heading = wanted || doc.querySelector("#student [data-arrive]");
    if (heading) heading.focus({ preventScroll: !wanted });
  }
  doc.addEventListener("wraparound:arrived", function () { refresh(); arrive(); window.scrollTo(0, 0); });
  doc.addEventListener("wraparound:merged", refresh);
  doc.addEventListener("wraparound:placed", function () { refresh(); focusArriving(true); });
  // Focus goes to a new entry, unless the reader has gone on meanwhile.
  function focusArriving(early) {
    if (!arriving || !$(arriving.id)) return false;
    var wait = arriving, free = doc.activeElement === wait.from || doc.activeElement === doc.body;
    if (early && !free) return false;
    arriving = null;
    if (free) $(wait.id).focus();
    return true;
  }
  doc.addEventListener("click", function (event) {
    var gap = event.target.closest("[data-gap]");
    if (gap && $(gap.dataset.gap)) { event.preventDefault(); $(gap.dataset.gap).focus(); }
  });
  doc.addEventListener("focus-gap", function (event) {
    var control = $(event.detail.id);
    if (control) { control.focus(); control.scrollIntoView({ block: "nearest" }); }
  });
  doc.addEventListener("htmx:configRequest", function (event) {
    // One id a command: a second change of the same form is another command.
    if (event.detail.verb !== "get" && event.detail.parameters.request_id) event.detail.parameters.request_id = uuid7();
  });
  doc.addEventListener("htmx:beforeRequest", function (event) {
    var save = $("save");
    if (save && event.detail.requestConfig.verb !== "get") save.textContent = "Saving";
  });
  doc.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target.id === "student" && event.detail.shouldSwap) subject().dataset.leaving = "1";
  });
  doc.addEventListener("htmx:afterSettle", function (event) {
    refresh();
    if (focusArriving()) return;
    if (event.detail.target.id === "student" || event.detail.elt.id === "student") { arrive(); window.scrollTo(0, 0); }
  });

  function begin() {
    if (!review()) return;
    withCodes(function () {});
    refresh();
    arrive();
  }
  // For offline.js, which shows an entry before the server has seen it.
  (window.wraparoundReview = window.wraparoundReview || {}).codeLabel = function (code) {
    var known = (codes || []).find(function (each) { return each.code === code; });
    return known ? known.label : "";
  };
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", begin); else begin();
})();
