"use strict";
(() => {
  const form = document.querySelector(".filters");
  const text = document.getElementById("f-text");
  const service = document.getElementById("f-service");
  const differs = document.getElementById("f-differs");
  const count = document.getElementById("f-count");
  const none = document.getElementById("f-none");
  const cards = [...document.querySelectorAll("details.service")].map((card) => ({
    card,
    rows: [...card.querySelectorAll("tr[data-state]")].map((row) => ({
      row,
      state: row.dataset.state,
      differs: "differs" in row.dataset,
      words: row.textContent.toLowerCase(),
    })),
  }));
  const total = cards.reduce((sum, { rows }) => sum + rows.length, 0);

  function apply() {
    const wanted = text.value.trim().toLowerCase();
    const boxes = [...form.querySelectorAll("input[name=state]")];
    const chosen = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
    const narrowed = wanted !== "" || differs.checked || boxes.some((box) => !box.checked);
    let shown = 0;
    for (const { card, rows } of cards) {
      const mine = service.value === "" || card.id === service.value;
      let here = 0;
      for (const { row, state, differs: other, words } of rows) {
        const hit = mine && chosen.has(state) && (!differs.checked || other) && words.includes(wanted);
        row.hidden = !hit;
        here += hit;
      }
      shown += here;
      card.hidden = !mine || (narrowed && here === 0);
      if (narrowed || service.value !== "") card.open = mine && here > 0;
    }
    count.textContent = `${shown} of ${total} packages`;
    none.hidden = shown > 0 || !narrowed;
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
    apply();
    for (const { card } of cards) card.open = false;
  }));
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
      // Not reset(): its event comes later, and folds everything.
      text.value = service.value = "";
      differs.checked = false;
      for (const box of form.querySelectorAll("input[name=state]")) box.checked = true;
      apply();
      for (const { card } of cards) card.open = card === found.card;
      found.card.querySelector("summary").focus();
      found.card.scrollIntoView();
    }
  }
  addEventListener("hashchange", reveal);
  for (const link of document.querySelectorAll(".overview a")) {
    link.addEventListener("click", () => setTimeout(reveal));
  }
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const card of closed) card.open = true;
  });
  addEventListener("afterprint", () => {
    for (const card of closed) card.open = false;
  });
  reveal();
})();
