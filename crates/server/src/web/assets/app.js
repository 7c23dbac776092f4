// The dashboard's one script: keeps the page live, opens actions in a dialog, and answers the keyboard. Pages read and work without it.
const body = document.body, main = document.getElementById("main"), connection = document.getElementById("connection");
const announce = (text) => { const at = document.getElementById("announce"); if (at) at.textContent = text; };
body.classList.add("scripted");

// ── Morph: the fetched page is laid over the shown one; what is the same stays, with its focus, scroll and half-typed text.
// A form's own `id` may be hidden behind a field of that name.
const keyOf = (node) => node.nodeType === 1 ? node.getAttribute("id") || node.dataset.key || "" : "";
const isField = (node) => node.nodeType === 1 && /^(INPUT|SELECT|TEXTAREA)$/.test(node.tagName);
const fits = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && keyOf(a) === keyOf(b);

function morphAttributes(from, to) {
  for (const { name } of [...from.attributes]) {
    if (name === "open" && (from.tagName === "DETAILS" || from.tagName === "DIALOG")) continue;
    if (name === "class" && from.classList.contains("at")) continue;
    if (!to.hasAttribute(name)) from.removeAttribute(name);
  }
  for (const { name, value } of [...to.attributes]) {
    if (name === "open" && from.tagName === "DETAILS") continue;
    if (name === "class" && from.classList.contains("at")) continue;
    if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  }
}

function touched(field) {
  if (field === document.activeElement && field.type !== "checkbox") return true;
  if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
  if (field.tagName === "SELECT") return [...field.options].some((option) => option.selected !== option.defaultSelected && [...field.options].some((o) => o.defaultSelected));
  return field.value !== field.defaultValue;
}

function morph(from, to) {
  if (from.nodeType === 3 || from.nodeType === 8) { if (from.data !== to.data) from.data = to.data; return; }
  if (from.id === "note" && to.id === "note") { from.replaceChildren(...[...to.childNodes].map((node) => document.importNode(node, true))); return; }
  if (from.hasAttribute?.("data-keep") || from.isEqualNode(to)) return;
  if (isField(from)) {
    const kept = touched(from), value = from.value, checked = from.checked;
    if (from.type === "hidden") { morphAttributes(from, to); return; }
    morphAttributes(from, to);
    if (from.tagName === "SELECT") morphChildren(from, to);
    if (from.tagName === "TEXTAREA" && !kept) from.defaultValue = to.defaultValue;
    if (kept) { if (from.value !== value) from.value = value; from.checked = checked; } else if (from.type === "checkbox") { from.checked = to.checked; } else if (from.tagName !== "SELECT") { from.value = to.value; }
    return;
  }
  const flash = from.hasAttribute?.("data-flash") && from.textContent !== to.textContent;
  morphAttributes(from, to);
  morphChildren(from, to);
  if (flash) { from.classList.remove("changed"); void from.offsetWidth; from.classList.add("changed"); setTimeout(() => from.classList.remove("changed"), 1500); }
}

function morphChildren(from, to) {
  const keyed = new Map();
  for (const child of from.childNodes) { const key = keyOf(child); if (key) keyed.set(key, child); }
  const wanted = new Set();
  for (const child of to.childNodes) { const key = keyOf(child); if (key) wanted.add(key); }
  let at = from.firstChild;
  for (const next of [...to.childNodes]) {
    const key = keyOf(next);
    // What stays by itself is passed over.
    while (at?.nodeType === 1 && at.hasAttribute("data-keep") && !wanted.has(keyOf(at))) at = at.nextSibling;
    // What is keyed and no longer wanted goes first, so that rows do not change into one another.
    while (at && keyOf(at) && !wanted.has(keyOf(at)) && !at.hasAttribute("data-keep")) { const gone = at; at = at.nextSibling; gone.remove(); }
    const known = key && keyed.get(key);
    if (known && known.parentNode === from && fits(known, next)) {
      if (known === at) at = at.nextSibling; else from.insertBefore(known, at);
      morph(known, next);
    } else if (at && !key && !keyOf(at) && fits(at, next)) {
      const same = at; at = at.nextSibling; morph(same, next);
    } else {
      const fresh = document.importNode(next, true);
      from.insertBefore(fresh, at);
    }
  }
  while (at) { const gone = at; at = at.nextSibling; if (!(gone.nodeType === 1 && gone.hasAttribute("data-keep"))) gone.remove(); }
}

// ── Live: one connection says that something may have changed; then this address is fetched again, at most ten times a second.
let source, seq = body.dataset.seq, etag = "", running = false, again = false, lostAt = 0, lostTimer, retry = 500, cost = 0;

const say = (state, words) => { connection.dataset.state = state; connection.querySelector(".words").textContent = words; };

async function refresh() {
  if (running) { again = true; return; }
  running = true; again = false;
  const begun = performance.now(), address = location.href;
  try {
    const headers = { "x-live": "1" };
    if (etag) headers["if-none-match"] = etag;
    const response = await fetch(address, { headers, cache: "no-store", credentials: "same-origin" });
    if (response.status === 401 || response.redirected && new URL(response.url).pathname === "/sign-in") { signedOut(); return; }
    // The lists did not have everything yet.
    if (response.headers.get("x-behind")) again = true;
    if (response.ok && address === location.href) {
      etag = response.headers.get("etag") || "";
      apply(new DOMParser().parseFromString(await response.text(), "text/html"));
    }
  } catch { /* The connection says so, and comes back by itself. */ } finally {
    cost = performance.now() - begun;
    // A page that is slow to make is asked for less often.
    setTimeout(() => { running = false; if (again) refresh(); }, Math.max(100, cost));
  }
}

function apply(next) {
  const fresh = next.getElementById("main");
  if (!fresh) return;
  seq = next.body.dataset.seq;
  if (next.title !== document.title) document.title = next.title;
  const watch = next.body.dataset.watch;
  const said = main.querySelector("[data-announce]")?.textContent;
  morph(main, fresh);
  const side = next.getElementById("side");
  if (side) morph(document.getElementById("side"), side);
  const saying = main.querySelector("[data-announce]")?.textContent;
  if (saying && saying !== said) announce(saying);
  if (watch !== body.dataset.watch) { body.dataset.watch = watch; connect(); }
  document.dispatchEvent(new CustomEvent("qm:changed"));
}

function signedOut() {
  source?.close();
  say("lost", "Signed out");
  announce("You are signed out.");
  if (!document.querySelector("dialog[open]")) location.href = "/sign-in?next=" + encodeURIComponent(location.pathname + location.search);
}

function connect() {
  source?.close();
  const watch = body.dataset.watch;
  if (!watch || document.hidden) return;
  const mine = source = new EventSource("/live?watch=" + encodeURIComponent(watch) + "&after=" + encodeURIComponent(seq));
  mine.addEventListener("hello", (event) => {
    if (mine !== source) return;
    retry = 500; clearTimeout(lostTimer);
    if (event.data !== body.dataset.version && !document.querySelector("dialog[open]")) { location.reload(); return; }
    if (lostAt) { lostAt = 0; announce("Connected again."); refresh(); }
    say("live", "Live");
  });
  mine.addEventListener("changed", (event) => { if (mine === source) { seq = event.data; refresh(); } });
  mine.onerror = () => {
    if (mine !== source) return;
    if (!lostAt) {
      lostAt = Date.now();
      lostTimer = setTimeout(() => { say("lost", "Connection lost, trying again"); announce("Connection lost. What you see may be out of date."); }, 400);
    }
    if (mine.readyState === EventSource.CLOSED) {
      // A refusal: find out whether we are signed out, then try again, ever more slowly.
      setTimeout(() => { if (mine === source) { refresh(); connect(); } }, retry);
      retry = Math.min(retry * 2, 10000);
    }
  };
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { source?.close(); source = undefined; } else if (body.dataset.watch) { refresh(); connect(); }
});
addEventListener("pagehide", () => source?.close());
addEventListener("pageshow", (event) => { if (event.persisted) { refresh(); connect(); } });
// Ages go on also when nothing happens.
setInterval(() => { if (!document.hidden && body.dataset.watch && !lostAt) refresh(); }, 30000);
if (body.dataset.watch) connect(); else if (connection) say("still", "");

// ── Dialogs: an action's page, shown over where one is.
let opener;
async function openSheet(address) {
  const response = await fetch(address, { headers: { "x-live": "1" }, credentials: "same-origin" });
  if (response.status === 401) { signedOut(); return; }
  const next = new DOMParser().parseFromString(await response.text(), "text/html");
  const sheet = next.querySelector("[data-sheet]");
  if (!sheet) { location.href = address; return; }
  const dialog = document.createElement("dialog");
  dialog.dataset.address = new URL(address, location.href).href;
  dialog.append(document.importNode(sheet, true));
  const heading = dialog.querySelector("h1");
  if (heading) { heading.id = "sheet-title"; dialog.setAttribute("aria-labelledby", "sheet-title"); }
  body.append(dialog);
  dialog.addEventListener("close", () => { dialog.remove(); opener?.focus(); });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.showModal();
  (dialog.querySelector("input:not([type=hidden]), select, textarea") || dialog.querySelector("button"))?.focus();
}

document.addEventListener("click", (event) => {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const link = event.target.closest("a[href]");
  if (link?.hasAttribute("data-dialog")) { event.preventDefault(); opener = link; openSheet(link.href); return; }
  if (link?.hasAttribute("data-close") && link.closest("dialog")) { event.preventDefault(); link.closest("dialog").close(); return; }
  if (event.target.closest("[data-print]")) { print(); return; }
  const row = event.target.closest("tr[data-href]");
  if (row && !event.target.closest("a, button, input, select, label, summary")) location.href = row.dataset.href;
});

// A form is sent once; in a dialog a refusal is shown there.
document.addEventListener("submit", async (event) => {
  const form = event.target, button = event.submitter;
  if (form.dataset.sent) { event.preventDefault(); return; }
  const get = (button?.formMethod || form.method) === "get" || form.method === "get" && !button?.hasAttribute("formmethod");
  if (get) return;
  const dialog = form.closest("dialog");
  if (!dialog) { form.dataset.sent = "1"; setTimeout(() => delete form.dataset.sent, 4000); return; }
  event.preventDefault();
  form.dataset.sent = "1";
  try {
    const fields = new URLSearchParams(new FormData(form, button));
    // Where it leads to is only looked at here: the note of what was done goes to the page that opens.
    const response = await fetch(form.action, { method: "POST", body: fields, headers: { "x-live": "1" }, credentials: "same-origin" });
    if (response.redirected || response.ok) {
      const to = new URL(response.url);
      dialog.close();
      if (to.pathname !== location.pathname) { location.href = to.href; return; }
      etag = "";
      const page = await fetch(to.href, { credentials: "same-origin", cache: "no-store" });
      apply(new DOMParser().parseFromString(await page.text(), "text/html"));
      main.focus();
      return;
    }
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const sheet = next.querySelector("[data-sheet]"), why = next.querySelector(".fault p");
    if (sheet) { morph(dialog.querySelector("[data-sheet]"), sheet); dialog.querySelector("[role=alert]")?.scrollIntoView({ block: "nearest" }); } else { announce(why?.textContent || "That did not work."); alert(why?.textContent || "That did not work."); }
  } finally { delete form.dataset.sent; }
});

// What a form will do follows what is typed into it.
let typing;
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-live]");
  if (!form) return;
  clearTimeout(typing);
  typing = setTimeout(async () => {
    const fields = new FormData(form); fields.delete("csrf"); fields.delete("once");
    const response = await fetch(form.action + "?" + new URLSearchParams(fields), { headers: { "x-live": "1" }, credentials: "same-origin" });
    const next = new DOMParser().parseFromString(await response.text(), "text/html");
    const says = next.querySelector("#says"), old = form.querySelector("#says");
    if (says && old) morph(old, says);
  }, 150);
});
// Filters act as they are changed.
document.addEventListener("change", (event) => {
  // What is searched for is sent by Enter: leaving the field half typed sends nothing.
  const form = event.target.type !== "search" && event.target.closest("form[data-filters]");
  if (form) form.requestSubmit();
  const all = event.target.closest("[data-all]");
  if (all) for (const box of main.querySelectorAll("input[name=" + all.dataset.all + "]")) box.checked = all.checked;
  countChosen();
});
function countChosen() {
  const bar = main.querySelector("[data-chosen]");
  if (!bar) return;
  const chosen = main.querySelectorAll("tbody input[type=checkbox]:checked").length;
  bar.hidden = chosen === 0;
  const at = bar.querySelector("b"); if (at) at.textContent = chosen;
}
document.addEventListener("qm:changed", countChosen);
countChosen();

// ── Keyboard
const places = { o: "/orders", h: "/", s: "/stock", f: "/fulfillment", r: "/replenishment", a: "/alerts", e: "/events", u: "/subscriptions", t: "/settings" };
let going = 0;
const rows = () => [...main.querySelectorAll("tr[data-href], li[data-href]")];
function move(by) {
  const all = rows(), at = all.findIndex((row) => row.classList.contains("at"));
  const next = all[Math.min(Math.max(at + by, 0), all.length - 1)];
  if (!next) return;
  all[at]?.classList.remove("at");
  next.classList.add("at");
  next.scrollIntoView({ block: "nearest" });
  next.querySelector("a")?.focus({ preventScroll: true });
}
function help() {
  const dialog = document.createElement("dialog");
  dialog.className = "keys"; dialog.setAttribute("aria-label", "Keyboard");
  const table = [["/", "Search"], ["j k", "Next, previous row"], ["Enter", "Open the row"], ["x", "Choose the row"], ["g h", "Overview"], ["g o", "Orders"], ["g s", "Stock"], ["g f", "Fulfillment"], ["g r", "Replenishment"], ["g a", "Alerts"], ["g e", "Events"], ["g u", "Subscriptions"], ["g t", "Settings"], ["Esc", "Close"], ["?", "This help"]];
  const heading = document.createElement("h1"); heading.textContent = "Keyboard";
  const list = document.createElement("dl"); list.className = "facts";
  for (const [keys, what] of table) {
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = what;
    for (const key of keys.split(" ")) { const one = document.createElement("kbd"); one.textContent = key; text.append(one, " "); }
    list.append(term, text);
  }
  const close = document.createElement("button"); close.textContent = "Close"; close.onclick = () => dialog.close();
  dialog.append(heading, list, close);
  dialog.addEventListener("close", () => dialog.remove());
  body.append(dialog); dialog.showModal();
}
document.addEventListener("keydown", (event) => {
  if (event.metaKey || event.ctrlKey || event.altKey || document.querySelector("dialog[open]")) return;
  const field = event.target.closest?.("input:not([type=checkbox]), select, textarea");
  if (field) { if (event.key === "Escape") field.blur(); return; }
  if (going && Date.now() - going < 1000 && places[event.key]) { going = 0; event.preventDefault(); location.href = places[event.key]; return; }
  going = event.key === "g" ? Date.now() : 0;
  const row = main.querySelector("tr.at, li.at");
  if (event.key === "/") { const search = main.querySelector("input[type=search]"); if (search) { event.preventDefault(); search.focus(); search.select(); } }
  else if (event.key === "j") move(1);
  else if (event.key === "k") move(-1);
  else if (event.key === "x" && row) { const box = row.querySelector("input[type=checkbox]"); if (box) { box.checked = !box.checked; countChosen(); } }
  else if (event.key === "Enter" && row && event.target === body) location.href = row.dataset.href;
  else if (event.key === "?") { event.preventDefault(); help(); }
});

// ── A scanner types fast and ends with Enter: what it read goes to the field that waits for it.
let scanned = "", scannedAt = 0;
document.addEventListener("keydown", (event) => {
  const target = main.querySelector("[data-scan]");
  if (!target || event.target.closest?.("input, select, textarea") || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.timeStamp - scannedAt > 80) scanned = "";
  scannedAt = event.timeStamp;
  if (event.key === "Enter" && scanned.length >= 4) { event.preventDefault(); target.value = scanned; target.form.requestSubmit(); scanned = ""; }
  else if (event.key.length === 1) scanned += event.key;
});
