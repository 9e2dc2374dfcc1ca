// What is nicer with a script. Every page works without it.

// The colours change at once; the form remembers them.
document.querySelector("form.theme")?.addEventListener("submit", (event) => {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  fetch(event.target.action, {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ theme }),
    redirect: "manual",
  }).then(() => {
    document.documentElement.dataset.theme = theme;
    for (const button of event.target.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.value === theme));
    }
  }).catch(() => event.target.submit());
});

// A form with one choice asks as soon as the choice is made. Who writes a date, or goes through a list with the arrow keys,
// changes it on the way: there the button asks, or Enter.
let byKey = false;
document.addEventListener("keydown", () => { byKey = true; }, true);
document.addEventListener("pointerdown", () => { byKey = false; }, true);
for (const field of document.querySelectorAll("form.asked [data-ask]")) {
  field.addEventListener("change", () => { if (!byKey) field.form.requestSubmit(); });
}

// `/` leads to the search, as on many sites.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select")) return;
  event.preventDefault();
  const field = document.querySelector("input[type=search]");
  if (field) field.focus();
  else location.assign("/search");
});

// The payload is searched while one types: what does not match is folded away. Where the server has searched, what does not
// match is not there, and another word is for the server too.
const payload = document.querySelector("[data-payload]");
const find = document.querySelector("input[data-find]");
if (payload && find && !find.defaultValue) {
  const nodes = [...payload.querySelectorAll("li")];
  const key = (node) => node.querySelector(":scope > .key, :scope > details > summary > .key")?.textContent ?? "";
  const isIn = (node) => Boolean(node.querySelector(":scope > details"));
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    const holds = (text) => text.toLowerCase().includes(wanted);
    let found = 0;
    for (const node of nodes) {
      let above = node.parentElement.closest("li");
      while (above && !holds(key(above))) above = above.parentElement.closest("li");
      node.hidden = Boolean(wanted) && !above && !holds(node.textContent);
      if (wanted && holds(isIn(node) ? key(node) : node.textContent)) found += 1;
    }
    for (const fold of payload.querySelectorAll("details")) fold.open = Boolean(wanted) || fold.dataset.open === "true";
    const told = document.querySelector("[data-found]");
    if (told) told.textContent = wanted ? `${found} found` : "";
  });
}
