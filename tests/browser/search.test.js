// The search: words, what they match, what cannot be found by words, and the choices beside them.
"use strict";

const assert = require("node:assert/strict");
const { go, siteOf, text, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

const rows = (page) => page.locator("tbody tr");
const said = (page) => text(page.getByRole("status"));

/** Asks the search as a reader does. */
async function search(page, { words = "", year, explicit }) {
  await page.getByLabel("Title or artist").fill(words);
  if (year) await page.getByLabel("Year").fill(year);
  if (explicit) await page.getByLabel("Explicit").selectOption({ label: explicit });
  const answered = page.waitForURL((url) => url.searchParams.get("q") === words);
  await page.getByRole("button", { name: "Search" }).click();
  await answered;
}

visitBothWays(site, "words are found and marked", {}, async (page) => {
  await go(page, "/search");
  assert.equal(await rows(page).count(), 0);
  await search(page, { words: "velvet" });
  assert.match(await said(page), /tracks are found/);
  assert.equal(await page.title(), "velvet · Search · Music Time Machine");
  assert.equal(await page.getByLabel("Title or artist").inputValue(), "velvet");
  const found = await rows(page).count();
  assert.ok(found > 5 && found <= 20, `${found} hits`);
  for (let row = 0; row < found; row += 1) {
    const marks = await texts(rows(page).nth(row).locator("mark"));
    assert.ok(marks.length > 0, `hit ${row} shows why it is one`);
    for (const mark of marks) assert.match(mark, /^velvet$/i);
  }
  const background = (element) => getComputedStyle(element).backgroundColor;
  const mark = page.locator("mark").first();
  assert.notEqual(await mark.evaluate(background), await page.locator("html").evaluate(background));

  const name = await text(rows(page).first().getByRole("link"));
  await rows(page).first().getByRole("link").click();
  assert.equal(await text(page.getByRole("heading", { level: 1 })), name);
});

visitBothWays(site, "words that the index leaves out are looked for as letters", {}, async (page) => {
  await go(page, "/search");
  await search(page, { words: "the" });
  assert.match(await said(page), /found/);
  assert.equal(await page.getByText("too common for the full-text index").count(), 1);
  for (const hit of await texts(rows(page).locator("td:first-child"))) assert.match(hit, /the/i);
  assert.ok((await rows(page).count()) > 0);
});

visitBothWays(site, "year and explicitness narrow the search, or are all of it", {}, async (page) => {
  await go(page, "/search");
  await search(page, { year: "2019", explicit: "explicit" });
  assert.ok((await rows(page).count()) > 0);
  for (const year of await texts(rows(page).locator("td:last-child"))) assert.equal(year, "2019");
  assert.equal(await rows(page).locator(".tag", { hasText: "explicit" }).count(), await rows(page).count());
  assert.equal(await page.getByLabel("Explicit").inputValue(), "yes");
  await search(page, { explicit: "clean" });
  assert.ok((await rows(page).count()) > 0);
  assert.equal(await rows(page).locator(".tag").count(), 0);
});

visitBothWays(site, "what is not there is not found, and said so", {}, async (page) => {
  await go(page, "/search");
  await search(page, { words: "xylophonequartz" });
  assert.equal(await said(page), "Nothing is found.");
  assert.equal(await rows(page).count(), 0);
});

visitBothWays(site, "a year that is none is not sent", {}, async (page) => {
  await go(page, "/search");
  await page.getByLabel("Year").fill("19x");
  await page.getByRole("button", { name: "Search" }).click();
  assert.equal(await page.getByLabel("Year").evaluate((field) => field.validity.patternMismatch), true);
  assert.equal(new URL(page.url()).search, "");
});

visit(site, "what cannot be read is answered by a page", { statuses: [400] }, async (page) => {
  for (const query of ["year=19x", "explicit=perhaps", `q=${"a".repeat(201)}`, "q=%00"]) {
    await go(page, `/search?${query}`, 400);
    assert.equal(await text(page.getByRole("heading", { level: 1 })), "That cannot be read");
    assert.ok(await text(page.getByRole("alert")), query);
  }
});
