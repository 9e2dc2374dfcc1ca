// The time machine: a chart as it stood on a day, beside the last one.
"use strict";

const assert = require("node:assert/strict");
const { go, siteOf, text, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

const chart = (page, name) => page.getByRole("region", { name, exact: true });
const lastOf = (told) => `${told.now_day}, the last`;
const days = async (page) => texts(page.locator("main h2"));

/** What the API says of the page that is shown. */
async function mirror(page) {
  const { pathname, search } = new URL(page.url());
  return (await page.request.get(`/api${pathname}${search}`)).json();
}

/** The page shows what the API tells: both charts, place for place. */
async function assertCharts(page) {
  const told = await mirror(page);
  assert.deepEqual(await days(page), [told.then_day, lastOf(told)]);
  for (const [name, places] of [[told.then_day, told.then], [lastOf(told), told.now]]) {
    const rows = chart(page, name).locator("tbody tr");
    const ranks = await texts(rows.locator("td:nth-child(1)"));
    const names = await rows.locator("td:nth-child(2) a").allTextContents();
    assert.ok(places.length > 0, name);
    assert.deepEqual(ranks, places.map((place) => String(place.rank)));
    assert.deepEqual(names, places.map((place) => place.name));
  }
  return told;
}

/** Asks for a day. With scripts the choice is enough; without there is the button. */
async function travel(page, date, scripts) {
  const arrived = page.waitForURL((url) => url.searchParams.get("date") === date);
  await page.getByLabel("As it stood on").fill(date);
  if (!scripts) await page.getByRole("button", { name: "Travel" }).click();
  await arrived;
}

visitBothWays(site, "another day shows other charts", {}, async (page, { scripts }) => {
  await go(page, "/machine");
  const first = await assertCharts(page);
  assert.notEqual(first.then_day, first.now_day);

  await travel(page, "2026-06-06", scripts);
  const then = await assertCharts(page);
  // No snapshot is of that day: the chart of the day before still stood.
  assert.equal(then.then_day, "2026-06-05");
  assert.equal(then.now_day, first.now_day);
  assert.notDeepEqual(then.then, first.then);
  assert.equal(await page.getByLabel("As it stood on").inputValue(), "2026-06-06");
});

visitBothWays(site, "the chart before and the one after are a link away", {}, async (page) => {
  await go(page, "/machine?date=2026-06-05");
  await page.getByRole("link", { name: "← 2026-05-29" }).click();
  await page.waitForURL("/machine?date=2026-05-29&range=short_term");
  assert.equal((await assertCharts(page)).then_day, "2026-05-29");
  await page.getByRole("link", { name: "2026-06-05 →" }).click();
  await page.waitForURL("/machine?date=2026-06-05&range=short_term");
  assert.equal((await assertCharts(page)).then_day, "2026-06-05");
});

visitBothWays(site, "another time range shows another chart of the day", {}, async (page, { scripts }) => {
  await go(page, "/machine?date=2026-06-05");
  const short = await assertCharts(page);
  const arrived = page.waitForURL((url) => url.searchParams.get("range") === "long_term");
  await page.getByLabel("Time range").selectOption({ label: "about a year" });
  if (!scripts) await page.getByRole("button", { name: "Travel" }).click();
  await arrived;
  const long = await assertCharts(page);
  assert.equal(long.range, "long_term");
  assert.notDeepEqual(long.then, short.then);
  assert.equal(await page.getByLabel("Time range").inputValue(), "long_term");
});

visit(site, "rises and falls are said in words too", {}, async (page) => {
  await go(page, "/machine?date=2026-11-13");
  const told = await assertCharts(page);
  const expected = told.now.map(({ rank, other_rank: before }) => {
    if (before === null) return "new";
    if (before === rank) return "=";
    return before > rank ? `▲ ${before - rank} up` : `▼ ${rank - before} down`;
  });
  const moves = await chart(page, lastOf(told)).locator("tbody td:nth-child(3)").allTextContents();
  assert.deepEqual(moves.map((move) => move.replace(/\s+/g, " ").trim()), expected);
  for (const kind of ["new", "▲", "▼"]) assert.ok(expected.some((move) => move.startsWith(kind)), kind);
});

visitBothWays(site, "before the first snapshot there was nothing, and the first is a link away", {}, async (page) => {
  await go(page, "/machine?date=2001-01-01");
  assert.match(await text(page.locator(".empty")), /There was no short_term chart yet: the first is of \d{4}-\d\d-\d\d/);
  assert.deepEqual(await days(page), []);
  await page.getByRole("link", { name: "the first" }).click();
  assert.equal((await assertCharts(page)).then_day, await page.getByLabel("As it stood on").getAttribute("min"));
  assert.equal(await page.getByRole("link", { name: "←" }).count(), 0);
});

visitBothWays(site, "a day to come shows what there is", {}, async (page) => {
  await go(page, "/machine?date=2200-01-01");
  const told = await assertCharts(page);
  assert.equal(told.then_day, told.now_day);
  assert.equal(await page.getByRole("link", { name: "→" }).count(), 0);
});

visit(site, "a day that is none is answered by a page", { statuses: [400] }, async (page) => {
  for (const query of ["date=2026-02-30", "date=yesterday", "range=for_ever"]) {
    await go(page, `/machine?${query}`, 400);
    assert.equal(await text(page.getByRole("heading", { level: 1 })), "That cannot be read");
  }
});
