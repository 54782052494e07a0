// Keys, verdicts and the queue. A verdict counts when the server has answered that it is stored;
// a request that fails is sent again under the same token, so that it cannot count twice.
"use strict";

(() => {
  const TRIES = 3;
  const VERDICTS = { ArrowLeft: "false", ArrowRight: "real", ArrowUp: "unsure" };
  const HELP = [
    ["← → ↑", "artefact, asteroid, unknown"], ["u", "take back the last verdict"], ["s", "skip"],
    ["n", "write a note (Esc leaves it, Ctrl+Enter stores it)"], ["space", "play or pause"],
    [", .", "one frame back or on"], ["+ -", "faster, slower"], ["v", "object or sky stands still"],
    ["d", "static sky subtracted"], ["c", "stretch: asinh, low, high"], ["i", "inverse"], ["z", "zoom"],
    ["o", "marks: green detected, red expected, orange catalogue stars"], ["?", "this help"],
  ];
  let player = null;
  let is_busy = false;

  const main = () => document.getElementById("main");
  const told = (text, is_trouble) => {
    const line = document.getElementById("told");
    line.textContent = text;
    line.classList.toggle("trouble", Boolean(is_trouble));
  };
  const token = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

  // What can be taken back: the candidates judged in this tab, the last one at the end.
  const acts = {
    all() { try { return JSON.parse(sessionStorage.getItem("autossos-acts")) || []; } catch { return []; } },
    keep(all) { try { sessionStorage.setItem("autossos-acts", JSON.stringify(all.slice(-200))); } catch { /* private mode */ } },
  };

  async function send(path, act, note) {
    const body = new URLSearchParams({ act, note, token: token() });
    const headers = { "Accept": "application/json", "X-CSRF-Token": main().dataset.csrf };
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await fetch(path + "/verdict", { method: "POST", headers, body });
        return await answer.json();
      } catch {
        if (attempt === TRIES) return { is_stored: false, text: "NOT stored: the service cannot be reached." };
        await pause(700 * attempt);
      }
    }
  }

  // Shows another page of ours in the place of this one.
  async function show(path) {
    const answer = await fetch(path);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const next = page.getElementById("main");
    if (!next) { location.assign(path); return; }
    history.pushState(null, "", answer.url);
    document.title = page.title;
    main().replaceWith(next);
    begin();
    window.scrollTo(0, 0);
    next.tabIndex = -1;
    next.focus({ preventScroll: true });
  }

  async function act(what) {
    if (is_busy || !main().dataset.path) return;
    is_busy = true;
    try {
      const { path, queue, night, id } = main().dataset;
      const field = document.querySelector("#judge textarea");
      const answer = await send(path, what, field ? field.value : "");
      told(answer.text, !answer.is_stored);
      if (answer.needs_login) { location.reload(); return; }
      if (!answer.is_stored) return;
      if (what === "note") { await show(location.href); return; }
      if (what === "undo") {
        const all = acts.all();
        const last = all.map((one) => one.path).lastIndexOf(path);
        acts.keep(all.filter((_, index) => index !== last));
      } else acts.keep([...acts.all(), { path, url: location.pathname + location.search }]);
      if (queue && what !== "undo") await show(answer.next || `${night}/queue?after=${encodeURIComponent(id)}`);
      else await show(location.href);
    } catch {
      location.reload();
    } finally {
      is_busy = false;
    }
  }

  // Takes back the last verdict of this tab, or that on this candidate, and goes there.
  async function undo() {
    if (is_busy) return;
    const all = acts.all();
    const last = all.pop() || (main().dataset.path && { path: main().dataset.path, url: location.pathname + location.search });
    if (!last) { told("Nothing to take back.", true); return; }
    is_busy = true;
    try {
      const answer = await send(last.path, "undo", "");
      told(answer.text, !answer.is_stored);
      if (answer.needs_login) { location.reload(); return; }
      if (!answer.is_stored) return;
      acts.keep(all);
      await show(last.url);
    } catch {
      location.reload();
    } finally {
      is_busy = false;
    }
  }

  function help() {
    let dialog = document.querySelector("dialog");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.setAttribute("aria-label", "Keys");
      const list = document.createElement("dl");
      for (const [keys, text] of HELP) {
        const term = document.createElement("dt");
        const kbd = document.createElement("kbd");
        kbd.textContent = keys;
        term.append(kbd);
        const meaning = document.createElement("dd");
        meaning.textContent = text;
        list.append(term, meaning);
      }
      const close = document.createElement("button");
      close.textContent = "Close";
      close.addEventListener("click", () => dialog.close());
      dialog.append(list, close);
      document.body.append(dialog);
    }
    if (dialog.open) dialog.close(); else dialog.showModal();
  }

  function press(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) {
      if (event.ctrlKey && event.key === "Enter" && event.target.name === "note") { event.preventDefault(); act("note"); }
      return;
    }
    const target = event.target;
    if (target.matches("input, textarea, select")) {
      if (event.key === "Escape") { target.blur(); event.preventDefault(); }
      return;
    }
    if (document.querySelector("dialog[open]") && event.key !== "?") return;
    // A button or link that has the focus keeps space; Enter is never ours.
    if (event.key === " " && target.matches("button, a, summary")) return;
    if (event.repeat && (VERDICTS[event.key] || event.key === "u" || event.key === "s")) { event.preventDefault(); return; }
    let is_ours = true;
    if (VERDICTS[event.key] && main().dataset.path) act(VERDICTS[event.key]);
    else if (event.key === "u") undo();
    else if (event.key === "s" && main().dataset.next) { if (!is_busy) show(main().dataset.next); }
    else if (event.key === "n" && document.querySelector("#judge textarea")) document.querySelector("#judge textarea").focus();
    else if (event.key === "?") help();
    else is_ours = Boolean(player && player.press(event.key));
    if (is_ours) event.preventDefault();
  }

  // Brings the page that is shown to life.
  function begin() {
    if (player) player.is_over = true;
    const section = document.querySelector(".player[data-stamps]");
    player = section ? new Player(section) : null;
    window.player = player;
    const form = document.getElementById("judge");
    if (form) form.addEventListener("submit", (event) => {
      event.preventDefault();
      act(event.submitter ? event.submitter.value : "note");
    });
    const next = main().dataset.nextStamps;
    // The next candidate's pixels wait in the browser's cache.
    if (next) for (const path of [next, next.replace("stamps.json", "stamps.bin")]) fetch(path).catch(() => {});
  }

  document.addEventListener("keydown", press);
  window.addEventListener("popstate", () => location.reload());
  begin();
})();
