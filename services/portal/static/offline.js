// A device that loses the network loses nothing: writes wait here in their order, each with the id it was first sent
// under, and are sent again when the network is back. What waits is encrypted with a key that cannot be taken out of
// this browser, belongs to one person, lasts 12 hours, and is wiped at sign-out.
(function () {
  "use strict";

  var doc = document;
  var $ = function (id) { return doc.getElementById(id); };
  var main = function () { return doc.querySelector("main.review"); };
  var shared = window.wraparoundReview = window.wraparoundReview || {};
  var WRITE = /^\/reviews\/[^/]+\/students\/[^/]+\/(entries|decision|done|later|skip|prior|reopen)(\/|$)/;
  var LASTS = 12 * 3600 * 1000;

  // What waits; what met somebody else's change and waits for a choice; what was refused.
  var queue = [], met = [], refused = [];
  var since = null, sending = false, signedOut = false;

  // ---------- the store ----------
  var STORE = "wraparound-kept";
  function database() {
    return new Promise(function (resolve, reject) {
      var asked = indexedDB.open(STORE, 1);
      asked.onupgradeneeded = function () { asked.result.createObjectStore("kept"); };
      asked.onsuccess = function () { resolve(asked.result); };
      asked.onerror = function () { reject(asked.error); };
    });
  }
  function each(mode, act) {
    return database().then(function (db) {
      return new Promise(function (resolve, reject) {
        var turn = db.transaction("kept", mode), result = act(turn.objectStore("kept"));
        turn.oncomplete = function () { db.close(); resolve(result && result.result); };
        turn.onerror = turn.onabort = function () { db.close(); reject(turn.error); };
      });
    });
  }
  function get(name) { return each("readonly", function (store) { return store.get(name); }); }
  function put(name, value) { return each("readwrite", function (store) { return store.put(value, name); }); }
  function wipe() { return each("readwrite", function (store) { return store.clear(); }).catch(function () { /* nothing was kept */ }); }

  function key() {
    return get("key").then(function (known) {
      if (known) return known;
      return crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]).then(function (made) {
        return put("key", made).then(function () { return put("owner", { who: main().dataset.owner, since: Date.now() }); }).then(function () { return made; });
      });
    });
  }

  var saving = Promise.resolve();
  function save() {
    var waits = queue.concat(met);
    saving = saving.then(function () {
      if (!waits.length) return wipe();
      return key().then(function (secret) {
        var iv = crypto.getRandomValues(new Uint8Array(12));
        var plain = new TextEncoder().encode(JSON.stringify(waits.map(bare)));
        return crypto.subtle.encrypt({ name: "AES-GCM", iv: iv }, secret, plain).then(function (data) { return put("waits", { iv: iv, data: data }); });
      });
    }).catch(function () { /* without a store it waits in this page */ });
    return saving;
  }
  function bare(item) { return { path: item.path, params: item.params, label: item.label, decided: item.decided }; }

  function load() {
    return get("owner").then(function (owner) {
      if (!owner) return [];
      if (owner.who !== main().dataset.owner || Date.now() - owner.since > LASTS) return wipe().then(function () { return []; });
      return Promise.all([get("key"), get("waits")]).then(function (held) {
        if (!held[0] || !held[1]) return [];
        return crypto.subtle.decrypt({ name: "AES-GCM", iv: held[1].iv }, held[0], held[1].data).then(function (plain) {
          return JSON.parse(new TextDecoder().decode(plain));
        });
      });
    }).catch(function () { return []; });
  }

  // ---------- what is written while the network is away ----------
  function keep(config) {
    var item = { path: config.path, params: Array.from(config.formData.entries()).filter(function (pair) { return pair[0] !== "csrf"; }), label: labelOf(config), decided: $("sr-version") ? $("sr-version").dataset.decided : "" };
    if (!since) since = new Date();
    queue.push(item);
    save();
    appear(item, config);
    show();
  }
  function of(item, name) {
    var pair = item.params.find(function (each) { return each[0] === name; });
    return pair ? pair[1] : "";
  }
  function set(item, name, value) { item.params.forEach(function (pair) { if (pair[0] === name) pair[1] = value; }); }
  function studentOf(path) { return path.split("/").slice(0, 5).join("/"); }
  function entryOf(path) { var found = /\/entries\/([^/]+)/.exec(path); return found ? found[1] : ""; }
  function labelOf(config) {
    var group = config.elt && config.elt.closest("[role=group][aria-label], [data-prior]");
    return ($("student-name") ? $("student-name").textContent : "") + (group ? ": " + group.getAttribute("aria-label") : "");
  }

  // Shows at once what the server would have answered.
  function appear(item, config) {
    var last = item.path.split("/").pop(), entry = entryOf(item.path);
    if (/\/prior\//.test(item.path)) {
      var line = config.elt.closest("[data-prior]");
      if (!line) return;
      if (of(item, "answer") !== "no_longer") {
        var section = line.closest("[data-domain]:not(.adder)"), kind = line.dataset.prior;
        place(kind, section.dataset.domain, of(item, "new_entry_id"), "", line.getAttribute("aria-label").replace(/^[^:]*: /, ""));
      }
      line.remove();
    } else if (last === "entries") {
      var code = of(item, "code"), known = shared.codeLabel ? shared.codeLabel(code) : "";
      place(of(item, "polarity"), of(item, "domain"), of(item, "entry_id"), code, known || code);
    } else if (last === "remove" && $("e-" + entry)) {
      $("e-" + entry).remove();
    } else if (/^(done|later|skip)$/.test(last)) {
      next(item.path, last);
    }
  }

  function place(kind, domain, id, code, label) {
    var blank = $("blank-" + kind), home = kind === "need" || kind === "observation" ? $("needs-" + domain) : $(kind === "interest" ? "interests" : "strengths-" + domain);
    if (!blank || !home) return;
    var made = blank.content.firstElementChild.cloneNode(true);
    fill(made, { ["ENTRY-ID-" + kind]: id, "STUDENT-PATH": $("student").dataset.path, "ENTRY-CODE": label });
    var field = made.querySelector('input[name="code"]');
    if (field) field.value = code;
    made.dataset.v = "kept";
    home.insertBefore(made, home.querySelector(":scope > .adder-item"));
    window.htmx.process(made);
    doc.dispatchEvent(new CustomEvent("wraparound:placed"));
  }
  function fill(node, words) {
    var swap = function (text) { return Object.keys(words).reduce(function (now, word) { return now.split(word).join(words[word]); }, text); };
    var walk = doc.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (var at = node; at; at = walk.nextNode()) {
      if (at.nodeType === Node.TEXT_NODE) { at.textContent = swap(at.textContent); continue; }
      Array.from(at.attributes).forEach(function (each) { if (/ENTRY-|STUDENT-PATH/.test(each.value)) each.value = swap(each.value); });
    }
  }

  // ---------- students while the network is away ----------
  var copies = {}, left = {}, fetched = 0;
  function fetchCopies() {
    if (!main() || waiting() || Date.now() - fetched < 60000) return;
    fetched = Date.now();
    fetch("/reviews/" + main().dataset.review + "/keep", { credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.text() : ""; })
      .then(function (html) {
        var template = doc.createElement("template");
        template.innerHTML = html;
        copies = {};
        template.content.querySelectorAll("template[data-kept]").forEach(function (copy) { copies[copy.dataset.kept] = copy; });
      })
      .catch(function () { fetched = 0; });
  }

  function go(path) {
    var student = $("student"), there = left[path] || (copies[path] && doc.importNode(copies[path].content, true).querySelector("#student"));
    if (!there) return false;
    if (student.dataset.path) left[student.dataset.path] = student;
    delete left[path];
    student.replaceWith(there);
    window.htmx.process(there);
    history.replaceState(null, "", path);
    doc.querySelectorAll("#roster a").forEach(function (line) {
      if (line.getAttribute("href") === path) line.setAttribute("aria-current", "true"); else line.removeAttribute("aria-current");
      line.classList.toggle("is-now", line.getAttribute("href") === path);
    });
    doc.dispatchEvent(new CustomEvent("wraparound:arrived"));
    return true;
  }

  function next(path, how) {
    var lines = Array.from(doc.querySelectorAll("#roster a")), here = studentOf(path);
    var at = lines.findIndex(function (line) { return line.getAttribute("href") === here; });
    if (at >= 0 && how !== "later") {
      lines[at].classList.remove("is-todo", "is-added", "is-later");
      lines[at].classList.add("is-done");
      lines[at].querySelector(".state").textContent = "kept here";
    }
    var order = lines.slice(at + 1).concat(lines.slice(0, Math.max(at, 0)));
    order.some(function (line) { return !line.matches(".is-done, .is-left") && go(line.getAttribute("href")); });
  }

  // ---------- htmx ----------
  function waiting() { return queue.length > 0; }
  shared.waiting = waiting;
  doc.addEventListener("htmx:beforeRequest", function (event) {
    var config = event.detail.requestConfig;
    if (!main() || !waiting()) return;
    if (config.verb === "get") {
      if (studentOf(config.path) === config.path && go(config.path)) event.preventDefault();
    } else if (WRITE.test(config.path)) {
      event.preventDefault();
      keep(config);
    }
  });
  ["htmx:sendError", "htmx:timeout"].forEach(function (name) {
    doc.addEventListener(name, function (event) {
      var config = event.detail.requestConfig;
      if (main() && config.verb !== "get" && WRITE.test(config.path)) { keep(config); return; }
      if (main() && config.verb === "get") { if (studentOf(config.path) === config.path) go(config.path); return; }
      say("trouble", "bad", "alert", "", "Wraparound cannot be reached. Your last change is not saved; it is still on the page. Change it again when the connection is back.");
    });
  });
  doc.addEventListener("htmx:afterRequest", function (event) {
    if (!event.detail.successful || !met.length) return;
    var path = event.detail.requestConfig.path;
    var before = met.length;
    met = met.filter(function (item) { return item.path !== path && !(studentOf(item.path) === studentOf(path) && /\/decision$/.test(path) && !entryOf(item.path)); });
    if (met.length !== before) { save(); show(); }
  });
  doc.addEventListener("click", function (event) {
    var theirs = event.target.closest && event.target.closest(".conflict a");
    if (theirs) {
      var entry = event.target.closest(".entry"), path = theirs.getAttribute("href");
      met = met.filter(function (item) { return studentOf(item.path) !== path || (entry ? "e-" + entryOf(item.path) !== entry.id : !!entryOf(item.path)); });
      save();
    }
    if (event.target.id === "try-now") send();
  });

  // ---------- sending ----------
  function object(item) {
    var entry = entryOf(item.path);
    return entry ? "entry " + entry : /\/(decision|done|later)$/.test(item.path) ? "decision " + studentOf(item.path) : "";
  }

  // Versions follow from my own writes, and only from them: what somebody else wrote meanwhile is never passed over.
  function follow(item, html) {
    var template = doc.createElement("template");
    template.innerHTML = html;
    var answer = template.content, last = item.path.split("/").pop();
    var id = last === "entries" ? of(item, "entry_id") : /\/prior\//.test(item.path) ? of(item, "new_entry_id") : entryOf(item.path);
    var field = id && (answer.querySelector("#ver-" + CSS.escape(id)) || answer.querySelector("#e-" + CSS.escape(id)));
    var version = field && (field.value || field.dataset.v);
    var mark = answer.querySelector("#sr-version");
    if (mark && !mark.hasAttribute("data-own") && mark.dataset.decided !== item.decided) mark = null;
    queue.slice(1).forEach(function (later) {
      if (version && entryOf(later.path) === id) { set(later, "version", version); set(later, "version_then", version); }
      if (mark && studentOf(later.path) === studentOf(item.path)) {
        if (/^decision /.test(object(later))) set(later, "version", mark.value);
        later.decided = mark.dataset.decided;
      }
    });
    if (version && $("ver-" + id)) $("ver-" + id).value = version;
    if (mark && $("student") && $("student").dataset.path === studentOf(item.path) && $("sr-version")) {
      $("sr-version").value = mark.value;
      $("sr-version").dataset.decided = mark.dataset.decided;
    }
  }

  async function send() {
    if (sending || !queue.length) return;
    sending = true;
    try {
      while (queue.length) {
        var item = queue[0], body = new URLSearchParams(item.params);
        // With a value still to choose, a review is not finished: once it is, the choice could not be written any more.
        if (unfinished(item)) { queue.shift(); await save(); show(); continue; }
        body.append("csrf", main().dataset.csrf);
        var answer = await fetch(item.path, { method: "POST", body: body, headers: { "HX-Request": "true" }, credentials: "same-origin", signal: AbortSignal.timeout(15000) });
        if (answer.status >= 500 || answer.status === 429) break;
        if (answer.headers.get("HX-Redirect")) { signedOut = answer.headers.get("HX-Redirect"); break; }
        var html = await answer.text();
        // The page is of another session: loaded again, it sends what waits.
        if (answer.status === 403 && html.indexOf("too old") >= 0) { signedOut = location.pathname; break; }
        if (answer.ok) {
          follow(item, html);
        } else if (answer.status === 409) {
          var again = queue.slice(1).some(function (later) { return object(later) && object(later) === object(item); });
          if (!again) met.push(Object.assign({ html: html }, item));
        } else {
          refused.push({ label: item.label, words: wordsIn(html) });
        }
        queue.shift();
        await save();
        show();
      }
    } catch (error) { /* still away */ }
    sending = false;
    show();
    if (!queue.length) arrivedAgain();
  }
  function unfinished(item) {
    return /\/done$/.test(item.path) && met.some(function (other) { return studentOf(other.path) === studentOf(item.path); });
  }
  function wordsIn(html) {
    var template = doc.createElement("template");
    template.innerHTML = html;
    var said = template.content.querySelector("#gaps ul") || template.content.querySelector(".banner");
    return said ? said.textContent.trim().replace(/\s+/g, " ") : "";
  }

  function arrivedAgain() {
    since = null;
    signedOut = false;
    left = {};
    fetched = 0;
    fetchCopies();
    show();
    showMet();
    if (!met.length && shared.look) shared.look();
  }

  // A change that met somebody else's is shown beside it, where its student is.
  function showMet() {
    var student = $("student"), here = met.find(function (item) { return item.html && student && studentOf(item.path) === student.dataset.path; });
    if (here) {
      var whole = !entryOf(here.path), html = here.html;
      here.html = "";
      window.htmx.swap(whole ? "#student" : "#trouble", html, { swapStyle: whole ? "outerHTML" : "none" });
      doc.querySelectorAll("#student .conflict").forEach(function (banner) { banner.scrollIntoView({ block: "nearest" }); });
    }
    show();
  }
  doc.addEventListener("htmx:afterSettle", function (event) { if (met.length && event.detail.elt.id === "student") showMet(); });

  // ---------- words ----------
  function say(place, kind, role, strong, words, extra) {
    var box = $(place);
    if (!box) return;
    box.textContent = "";
    if (!words && !strong) return;
    var banner = doc.createElement("div"), text = doc.createElement("span"), bold = doc.createElement("b");
    banner.className = "banner " + kind;
    banner.setAttribute("role", role);
    bold.textContent = strong;
    text.append(bold, strong ? " " : "", words);
    banner.append(text);
    if (extra) { var end = doc.createElement("span"); end.className = "end row"; end.append(extra); banner.append(end); }
    box.append(banner);
  }
  function button(id, words) {
    var made = doc.createElement("button");
    made.className = "btn small";
    made.type = "button";
    made.id = id;
    made.textContent = words;
    return made;
  }
  function link(href, words) {
    var made = doc.createElement("a");
    made.className = "btn small";
    made.href = href;
    made.textContent = words;
    return made;
  }
  function count(number) { return number === 1 ? "1 change" : number + " changes"; }

  var shown = "";
  function show() {
    if (!main()) return;
    var elsewhere = met.find(function (item) { return item.html && $("student") && studentOf(item.path) !== $("student").dataset.path; });
    var state = [queue.length, signedOut, refused.length, elsewhere && elsewhere.path].join(" ");
    var mark = $("save");
    if (mark && queue.length) {
      mark.className = "save kept";
      mark.innerHTML = '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><use href="#i-cloud"/></svg> ';
      mark.append(count(queue.length) + " kept here");
    } else if (mark && mark.classList.contains("kept")) {
      mark.className = "save";
      mark.innerHTML = '<svg class="i" viewBox="0 0 24 24" aria-hidden="true"><use href="#i-check"/></svg> ';
      mark.append("Saved " + new Date().toLocaleTimeString());
    }
    if (state === shown) return;
    shown = state;
    if (queue.length && signedOut) {
      say("away", "warn", "status", "Your session has ended.", count(queue.length) + " kept here will be sent once you have signed in again.", link(signedOut, "Sign in"));
    } else if (queue.length && since) {
      var at = since.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      say("away", "warn", "status", "You are offline since " + at + ".", "Keep going: this class is kept on this device, locked to your sign-in, for 12 hours. " + count(queue.length) + " will be sent when the connection is back.", button("try-now", "Try now"));
    } else if (refused.length) {
      say("away", "warn", "alert", "Not everything could be written.", refused.map(function (each) { return each.label + ". " + each.words; }).join(" "), button("seen-refused", "Seen"));
    } else if (elsewhere) {
      say("away", "warn", "alert", "Somebody else changed the same.", elsewhere.label + ". Nothing was overwritten. Choose, and finish the student’s review.", link(studentOf(elsewhere.path), "Choose which to keep"));
    } else {
      say("away", "", "", "", "");
    }
  }
  doc.addEventListener("click", function (event) { if (event.target.id === "seen-refused") { refused = []; show(); } });
  doc.addEventListener("htmx:afterSettle", function () { if (queue.length) show(); });

  // ---------- sign-out wipes what waits, and says so first ----------
  var warned = false;
  doc.addEventListener("submit", function (event) {
    if (event.target.getAttribute("action") !== "/sign-out") return;
    if (queue.length && !warned) {
      warned = true;
      event.preventDefault();
      say("trouble", "bad", "alert", count(queue.length) + " not sent yet.", "Signing out deletes what is kept on this device. Press “Sign out” once more to do so.");
      return;
    }
    wipe();
  });

  // ---------- begin ----------
  shared.back = function () { send(); };
  window.addEventListener("online", function () { send(); });
  function begin() {
    if (!main()) return;
    load().then(function (items) {
      if (items.length) { since = since || new Date(); queue = items.concat(queue); show(); send(); }
    });
    setInterval(function () { send(); }, 5000);
    setTimeout(fetchCopies, 1200);
    doc.addEventListener("htmx:afterSettle", function (event) { if (event.detail.elt.id === "student") setTimeout(fetchCopies, 1500); });
  }
  if (doc.readyState === "loading") doc.addEventListener("DOMContentLoaded", begin); else begin();
})();
