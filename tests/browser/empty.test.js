// A database without a row: every page is there, and says that there is nothing yet.
"use strict";

const assert = require("node:assert/strict");
const { WINDOWS, assertLooks } = require("./looks");
const { go, siteOf, text, visit, visitBothWays } = require("./support");

const site = siteOf("empty");

/** What each page says where there is nothing. */
const SAID = {
  "/": /There is no snapshot yet/,
  "/dashboard": /No payload tells a release date/,
  "/analytics?range=all": /There is no snapshot yet/,
  "/analytics?range=6m": /There is no snapshot yet/,
  "/machine": /There is no short_term snapshot yet/,
  "/machine?date=2026-06-05&range=long_term": /There is no long_term snapshot yet/,
  "/search?q=velvet": /Nothing is found/,
  "/search?q=the&year=2019&explicit=no": /Nothing is found/,
  "/playlists": /The history has none/,
  "/explore": /0 rows/,
  "/explore?question=has-isrc": /0 rows/,
  "/settings": /none yet/,
};

visitBothWays(site, "every page says that there is nothing yet", {}, async (page) => {
  for (const [address, said] of Object.entries(SAID)) {
    await go(page, address);
    const main = await text(page.getByRole("main"));
    assert.match(main, said, address);
    // Nothing is divided by, and nothing is missing from a sentence.
    assert.doesNotMatch(main, /NaN|Infinity|null|undefined/, address);
    assert.equal(await page.locator("svg.chart").count(), 0, `${address} draws nothing`);
    assert.equal(await page.locator("tbody tr td a").count(), 0, address);
  }
});

visit(site, "the migration of no rows is proven too", {}, async (page) => {
  await go(page, "/migration");
  assert.match(await text(page.locator(".lead")), /^Proven:/);
});

visit(site, "a track is not there", { statuses: [404] }, (page) => go(page, "/tracks/4uLU6hMCjMI75M1A2tKUQC", 404));

visit(site, "the export and the playlists are whole, and empty", {}, async (page) => {
  const body = async (address) => (await (await page.request.get(address)).text()).trimEnd();
  assert.deepEqual(JSON.parse(await body("/export.jsonl")), { table: "end", tracks: 0, snapshots: 0 });
  assert.equal((await body("/playlists/current-rotation.csv")).split("\r\n").length, 1);
  assert.equal((await body("/playlists/current-rotation.m3u")).split("\n").length, 3);
});

for (const address of ["/", "/dashboard", "/analytics", "/machine", "/playlists", "/explore", "/settings"]) {
  visit(site, `how ${address} looks`, WINDOWS.phone, async (page) => {
    await go(page, address);
    await assertLooks(page, `empty-${address.slice(1) || "overview"}-phone`);
  });
}
