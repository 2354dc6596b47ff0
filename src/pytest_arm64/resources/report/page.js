"use strict";
(() => {
  // So many rows of one table, and of all tables while searching, are drawn at once.
  const MOST = 200;
  const MOST_FOUND = 100;
  const form = document.querySelector(".filters");
  const text = document.getElementById("f-text");
  const service = document.getElementById("f-service");
  const differs = document.getElementById("f-differs");
  const count = document.getElementById("f-count");
  const none = document.getElementById("f-none");
  const boxes = [...form.querySelectorAll("input[name=state]")];
  const data = JSON.parse(document.getElementById("rows").textContent);
  const kinds = data.rows.map((row) => {
    const [name, scope, version, state, , observed, loaded, other, , lines] = row;
    const seen = observed.map(([word, , grade]) => `${word} ${grade}`);
    const words = [name, scope, version, state, ...seen, loaded ? "loaded by the tests" : "", ...lines];
    return { row, state, differs: other, words: words.join(" ").toLowerCase(), hit: true };
  });
  const cards = [...document.querySelectorAll("details.service")].map((card) => ({
    card,
    rows: [...card.querySelectorAll("tr[data-state]")].map((row) => ({
      row,
      state: row.dataset.state,
      differs: "differs" in row.dataset,
      words: row.textContent.toLowerCase(),
    })),
    lazy: card.querySelector("tbody.lazy"),
    more: card.querySelector(".more button"),
    quiet: data.services[card.id].map((number) => kinds[number]),
    hits: data.services[card.id].map((number) => kinds[number]),
    limit: MOST,
    drawn: 0,
    unfolded: false,
  }));
  const total = cards.reduce((sum, { rows, quiet }) => sum + rows.length + quiet.length, 0);

  function element(tag, className, content) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...[content].flat());
    return made;
  }

  function drawnRow([name, scope, version, state, tone, observed, loaded, other, green, lines]) {
    const row = document.createElement("tr");
    row.dataset.state = state;
    if (other) row.dataset.differs = "1";
    const first = element("th", "", scope ? [`${name} `, element("span", "grade", scope)] : name);
    first.scope = "row";
    const seen = observed.flatMap(([word, colour, grade], number) => [
      ...(number ? [document.createElement("br")] : []),
      element("span", `badge ${colour}`, word), " ", element("span", "grade", grade),
    ]);
    if (!seen.length) seen.push(element("span", "dim", "not evaluated"));
    if (loaded) seen.push(document.createElement("br"), element("span", "grade", "loaded by the tests"));
    const why = lines.map((line) => {
      const dim = green || line.startsWith("from ");
      return element("div", line.startsWith("→ ") ? "remedy" : dim ? "dim" : "", line);
    });
    row.append(
      first, element("td", "", version), element("td", "", element("span", `badge ${tone}`, state)),
      element("td", "", seen), element("td", "", why),
    );
    return row;
  }

  // Draw the hits of an open card, no more than its limit.
  function draw(entry) {
    const { card, lazy, more, hits, limit } = entry;
    if (!lazy) return 0;
    const wanted = card.open && !card.hidden ? hits.slice(0, limit) : [];
    lazy.replaceChildren(...wanted.map(({ row }) => drawnRow(row)));
    entry.drawn = wanted.length;
    if (more) {
      more.hidden = !card.open || wanted.length >= hits.length;
      more.textContent = `Show ${hits.length - wanted.length} more packages`;
    }
    return wanted.length;
  }

  const chips = [...document.querySelectorAll(".chips button")];
  const listed = [...document.querySelectorAll(".overview tr[data-verdict]")];
  const verdicts = () => new Set(
    chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.verdict),
  );

  function apply() {
    const wanted = text.value.trim().toLowerCase();
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const judged = verdicts();
    const narrowed = wanted !== "" || differs.checked || boxes.some((box) => !box.checked);
    const matches = (one) =>
      chosen.has(one.state) && (!differs.checked || one.differs) && one.words.includes(wanted);
    for (const kind of kinds) kind.hit = matches(kind);
    let shown = 0;
    let room = MOST_FOUND;
    for (const entry of cards) {
      const { card, rows, quiet } = entry;
      const mine = (service.value === "" || card.id === service.value)
        && (judged.size === 0 || judged.has(card.dataset.verdict));
      let here = 0;
      for (const one of rows) {
        const hit = mine && (!narrowed || matches(one));
        one.row.hidden = !hit;
        here += hit;
      }
      entry.hits = mine ? quiet.filter((kind) => kind.hit) : [];
      here += entry.hits.length;
      shown += here;
      card.hidden = !mine || (narrowed && here === 0);
      // What a search has opened is folded when it ends.
      if (narrowed || service.value !== "") {
        entry.unfolded ||= !card.open;
        card.open = mine && here > 0 && (room > 0 || !narrowed);
      } else if (entry.unfolded) {
        entry.unfolded = false;
        card.open = false;
      }
      entry.limit = narrowed && card.open ? room : MOST;
      room -= draw(entry) + (card.open ? 1 : 0);
    }
    count.textContent = `${shown} of ${total} packages`;
    none.hidden = shown > 0 || !narrowed;
  }

  const chipCount = document.getElementById("c-count");
  function judge() {
    const judged = verdicts();
    let shown = 0;
    for (const row of listed) {
      row.hidden = judged.size > 0 && !judged.has(row.dataset.verdict);
      shown += !row.hidden;
    }
    chipCount.textContent = `${shown} of ${listed.length} services`;
    apply();
  }
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      judge();
    });
  }

  const headings = [...document.querySelectorAll(".overview thead th")];
  headings.forEach((heading, column) => heading.querySelector("button").addEventListener("click", () => {
    const down = heading.getAttribute("aria-sort") === "ascending";
    for (const other of headings) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
    const before = new Intl.Collator("en", { numeric: true }).compare;
    const rows = [...listed].sort((a, b) => before(key(a), key(b)));
    listed[0]?.parentElement.append(...(down ? rows.reverse() : rows));
  }));

  for (const entry of cards) {
    entry.card.addEventListener("toggle", () => {
      if (entry.card.open && entry.drawn === 0) draw(entry);
    });
    entry.more?.addEventListener("click", () => {
      entry.limit = Infinity;
      draw(entry);
    });
  }

  const unfold = document.getElementById("f-unfold");
  unfold.addEventListener("click", () => {
    const shown = cards.map(({ card }) => card).filter((card) => !card.hidden);
    const open = shown.some((card) => !card.open);
    for (const card of shown) card.open = open;
  });

  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => {
    clear();
    for (const { card } of cards) card.open = false;
  }));
  function clear() {
    // Not reset(): its event comes later, and folds everything.
    text.value = service.value = "";
    differs.checked = false;
    for (const box of boxes) box.checked = true;
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    judge();
  }
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing) {
      event.preventDefault();
      text.focus();
    } else if (event.key === "Escape" && document.activeElement === text) {
      text.value = "";
      apply();
    }
  });
  function reveal() {
    const found = cards.find(({ card }) => card.id === location.hash.slice(1));
    if (found) {
      clear();
      for (const { card } of cards) card.open = card === found.card;
      found.card.querySelector("summary").focus();
      found.card.scrollIntoView();
    }
  }
  addEventListener("hashchange", reveal);
  for (const link of document.querySelectorAll(".overview th a")) {
    link.addEventListener("click", () => setTimeout(reveal));
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const card of closed) card.open = true;
    for (const entry of cards) {
      if (entry.drawn === 0 && !entry.lazy?.classList.contains("long")) draw(entry);
    }
  });
  addEventListener("afterprint", () => {
    for (const card of closed) card.open = false;
  });
  reveal();
})();
