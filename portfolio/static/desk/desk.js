/* Exchange Desk: keeps ages true, asks for news, pauses, and applies the theme at once. Nothing needs it. */
(() => {
  "use strict";
  const root = document.documentElement, frame = () => document.getElementById("frame");
  if (!frame()) return;
  const VISIBLE = 1000, HIDDEN = 60000, LONGEST_ANSWER = 10000, LONGEST_USE = 60000, UNITS = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
  const offset = Date.parse(frame().dataset.now) - Date.now();
  let revision = frame().dataset.revision, paused = sessionStorage.getItem("paused") === "yes";
  let refused = false, timer = 0, waitUntil = 0;

  /* ages, on the server's clock */
  const seconds = (time) => Math.max(0, Math.floor((Date.now() + offset - Date.parse(time)) / 1000));
  const coarse = (age) => {
    const [size, unit] = UNITS.find(([one]) => age >= one) || UNITS[3];
    return Math.floor(age / size) + " " + unit;
  };
  const tick = () => {
    for (const time of document.querySelectorAll("time[data-age]"))
      time.textContent = time.dataset.age.replace("%s", coarse(seconds(time.dateTime)));
    for (const next of document.querySelectorAll("[data-next]")) {
      const left = Number(next.dataset.next) - seconds(next.dataset.from);
      next.textContent = left > 0 ? next.dataset.words.replace("%s", left + " s") : "";
    }
    /* whatever the reason that no news comes: what is old is not called up to date */
    const fresh = document.querySelector("[data-old]");
    root.classList.toggle("is-lost", Boolean(fresh) && seconds(fresh.dataset.from) > Number(fresh.dataset.old));
  };

  /* pause */
  const button = document.getElementById("pause");
  const showPause = () => {
    root.classList.toggle("is-paused", paused);
    if (!button) return;
    button.setAttribute("aria-pressed", String(paused));
    button.title = button.dataset[paused ? "resume" : "pause"];
    button.lastElementChild.textContent = button.title;
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, paused ? "#play" : "#pause"));
  };
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      sessionStorage.setItem("paused", paused ? "yes" : "no");
      root.classList.remove("is-waiting");
      showPause();
      if (!paused) ask();
    });
  }

  /* news: htmx asks this very page again and swaps the panels that come back */
  const marks = () => [...document.querySelectorAll("[data-live]")].map((one) => one.dataset.live).join(" ");
  const ask = () => {
    plan();
    /* a slow desk is asked once, not once a second */
    if (!window.htmx || Date.now() < waitUntil) return;
    waitUntil = Date.now() + LONGEST_ANSWER;
    refused = false;
    const headers = { "X-Live": revision + " " + marks() };
    if (paused) headers["X-Live-Peek"] = "yes";
    window.htmx.ajax("GET", location.pathname + location.search, { source: document.body, target: document.body, swap: "none", headers });
  };
  const plan = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, document.hidden ? HIDDEN : VISIBLE);
  };
  const inUse = (panel) => panel.contains(document.activeElement) || panel.querySelector("details[open]") ||
    String(getSelection()) && panel.contains(getSelection().anchorNode);
  const facts = () => new Map([...document.querySelectorAll("#frame [data-say]")].map((one) => [one.dataset.say, one.textContent]));
  let said = facts(), scrolled = new Map(), focused = null;
  const usedSince = new Map();
  /* a state that is no more is not shown for ever, only because a link of it kept the focus */
  const mayWait = (panel) => {
    if (!inUse(panel)) return false;
    if (!usedSince.has(panel.id)) usedSince.set(panel.id, Date.now());
    return Date.now() - usedSince.get(panel.id) < LONGEST_USE;
  };

  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const panel = event.detail.target;
    if (mayWait(panel)) {
      event.detail.shouldSwap = false;
      refused = true;
      return;
    }
    usedSince.delete(panel.id);
    const active = document.activeElement, address = active && panel.contains(active) && active.getAttribute("href");
    if (address) focused = "#" + panel.id + " a[href=\"" + CSS.escape(address) + "\"]";
    scrolled.set(panel.id, [...panel.querySelectorAll(".scroll")].map((one) => one.scrollLeft));
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const answer = event.detail.xhr;
    waitUntil = 0;
    if (answer.getResponseHeader("X-Live-Waiting")) root.classList.add("is-waiting");
    const now = answer.getResponseHeader("X-Live-Revision");
    if (!now) return;
    if (!refused) revision = now;
    for (const [id, places] of scrolled)
      document.querySelectorAll("#" + id + " .scroll").forEach((one, index) => (one.scrollLeft = places[index] || 0));
    scrolled = new Map();
    if (focused) document.querySelector(focused)?.focus({ preventScroll: true });
    focused = null;
    tell();
    tick();
  });
  const tell = () => {
    const now = facts(), news = [...now].filter(([key, text]) => text && text !== said.get(key)).map(([, text]) => text);
    if (news.length) document.getElementById("say").textContent = news.join(" ");
    said = now;
    const count = frame().dataset.attention;
    document.title = (count === "0" ? "" : "(" + count + ") ") + document.title.replace(/^\(\d+\) /, "");
  };

  /* display: at once, and kept by the server without loading the page again */
  for (const form of document.querySelectorAll("form[data-display]"))
    form.addEventListener("change", (event) => {
      const { name, value, form: asked } = event.target;
      if (name === "amounts") return asked.requestSubmit();
      root.className = root.className.replace(new RegExp(name + "-\\w+"), name + "-" + value);
      fetch(asked.action, { method: "POST", body: new FormData(asked), credentials: "same-origin", redirect: "manual" });
    });

  /* one menu at a time; Escape and a press elsewhere close it */
  const menus = () => document.querySelectorAll("details.menu[open]");
  document.addEventListener("click", (event) => {
    for (const menu of menus()) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of menus()) { menu.open = false; menu.querySelector("summary").focus(); }
  });
  document.addEventListener("visibilitychange", () => (document.hidden ? plan() : ask()));

  showPause();
  setInterval(tick, 1000);
  plan();
})();
