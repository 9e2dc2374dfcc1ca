// A track: its places in the charts, and its payload, folded and searched.
"use strict";

const assert = require("node:assert/strict");
const { go, siteOf, text, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

/** Goes to the first track that a page links to; what the API says of it is returned. */
async function firstTrack(page, address) {
  await go(page, address);
  await page.locator("td a[href^='/tracks/']").first().click();
  await page.waitForURL("/tracks/*");
  return (await page.request.get(`/api${new URL(page.url()).pathname}`)).json();
}

const payload = (page) => page.locator("[data-payload]");

/** The keys and values that can be seen: what is in no deeper list. */
const leaves = (page) => payload(page).locator("li:not(:has(li)):visible").allInnerTexts();

visitBothWays(site, "a track shows its places, as a chart and one by one", {}, async (page) => {
  const told = await firstTrack(page, "/machine");
  assert.equal(await text(page.getByRole("heading", { level: 1 })), told.name);
  assert.equal(await page.title(), `${told.name} · ${told.artist_name} · Music Time Machine`);
  assert.ok((await text(page.locator(".lead"))).startsWith(told.artist_name));
  assert.equal(await page.locator("svg.chart").getAttribute("aria-label"), `Places of ${told.name} in the charts`);
  assert.equal(await page.locator("svg.chart .point").count(), told.places.length);
  await page.getByText("Every place").click();
  const places = told.places.map(({ day, time_range, rank }) => `${day} ${time_range} ${rank}`);
  assert.deepEqual(await texts(page.locator("details table tbody tr")), places);

  await page.getByRole("link", { name: "More of the artist" }).click();
  await page.waitForURL(/\/search\?q=/);
  assert.ok((await texts(page.locator("tbody td:first-child small"))).includes(told.artist_name));
});

visitBothWays(site, "a link to elsewhere says where it leads, and is not told where from", {}, async (page) => {
  const told = await firstTrack(page, "/explore?question=has-isrc");
  const link = page.getByRole("link", { name: "Listen on Spotify" });
  assert.equal(await link.getAttribute("href"), told.spotify_url);
  assert.match(await link.getAttribute("rel"), /noreferrer/);
});

visitBothWays(site, "the payload is folded where it is long, and unfolds", {}, async (page) => {
  await go(page, "/explore?question=has-isrc");
  for (const link of await page.locator("td a").evaluateAll((links) => links.map((link) => link.pathname))) {
    const told = await (await page.request.get(`/api${link}`)).json();
    if (!told.payload.available_markets) continue;
    await go(page, link);
    break;
  }
  const markets = payload(page).locator("li:has(> details)").filter({ hasText: /^\s*available_markets: \[ \d+ \]/ }).last();
  const list = markets.locator("> details > ul");
  const summary = markets.locator("> details > summary");
  assert.equal(await payload(page).getByText("disc_number").isVisible(), true);
  assert.equal(await list.isVisible(), false);
  await summary.click();
  assert.equal(await list.isVisible(), true);
  await summary.click();
  assert.equal(await list.isVisible(), false);
});

visitBothWays(site, "the payload is searched", {}, async (page, { scripts }) => {
  const told = await firstTrack(page, "/explore?question=has-isrc");
  const find = page.getByLabel("Find in the payload");
  const said = page.getByRole("status");
  const before = await leaves(page);
  await find.fill("ISRC");
  if (!scripts) {
    await page.getByRole("button", { name: "Find" }).click();
    await page.waitForURL(/find=ISRC/);
    assert.equal(await find.inputValue(), "ISRC");
  }
  assert.equal(await text(said), "1 found");
  assert.deepEqual(await leaves(page), [`isrc: "${told.payload.external_ids.isrc}"`]);

  await find.fill("");
  if (!scripts) await page.getByRole("button", { name: "Find" }).click();
  await said.filter({ hasText: /^$/ }).waitFor({ state: "attached" });
  assert.deepEqual(await leaves(page), before);
});

visit(site, "what is found while one types is what the server finds", {}, async (page) => {
  const told = await firstTrack(page, "/explore?question=has-isrc");
  const address = new URL(page.url()).pathname;
  for (const wanted of ["isrc", "Album", "https", told.name, "nothing of the kind"]) {
    await go(page, address);
    await page.getByLabel("Find in the payload").fill(wanted);
    const typed = [await text(page.getByRole("status")), await leaves(page)];
    await go(page, `${address}?find=${encodeURIComponent(wanted)}`);
    assert.deepEqual([await text(page.getByRole("status")), await leaves(page)], typed, wanted);
  }
});

visit(site, "after the server has searched, another word is looked for in the whole payload", {}, async (page) => {
  const told = await firstTrack(page, "/explore?question=has-isrc");
  await go(page, `${new URL(page.url()).pathname}?find=isrc`);
  await page.getByLabel("Find in the payload").fill("disc_number");
  assert.equal(await text(page.getByRole("status")), "1 found");
  await page.getByRole("button", { name: "Find" }).click();
  await page.waitForURL(/find=disc_number/);
  assert.deepEqual(await leaves(page), [`disc_number: ${told.payload.disc_number}`]);
});
