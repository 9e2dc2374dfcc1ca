// Every page, reached as a reader reaches it: by the navigation, from the first page on.
"use strict";

const assert = require("node:assert/strict");
const { NAVIGATION, go, siteOf, text, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

visitBothWays(site, "the navigation leads to every page", {}, async (page) => {
  await go(page, "/");
  const links = page.getByRole("navigation", { name: "Pages" }).getByRole("link");
  assert.deepEqual(await texts(links), NAVIGATION.map(([, name]) => name));
  // From the last to the first, so that the first is a page that is gone to as well.
  for (const [address, name] of [...NAVIGATION].reverse()) {
    const answer = page.waitForResponse((response) => response.request().isNavigationRequest());
    await links.filter({ hasText: name }).click();
    assert.equal((await answer).status(), 200);
    await page.waitForURL(address);
    assert.equal(await page.title(), `${name} · Music Time Machine`);
    assert.deepEqual(await texts(page.getByRole("heading", { level: 1 })), [name]);
    assert.deepEqual(await texts(page.locator("nav [aria-current=page]")), [name]);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
  }
});

visitBothWays(site, "the name leads to the first page, and the footer to the API", {}, async (page) => {
  await go(page, "/machine");
  await page.getByRole("link", { name: "Music Time Machine" }).click();
  await page.waitForURL("/");
  const openapi = await page.request.get(await page.getByRole("link", { name: "the API" }).getAttribute("href"));
  assert.equal((await openapi.json()).info.title, "Music Time Machine");
});

visit(site, "no link leads nowhere", {}, async (page) => {
  const seen = new Set();
  for (const [address] of NAVIGATION) {
    await go(page, address);
    const links = await page.locator("main a[href]").evaluateAll((all) => all.map((link) => link.href));
    // Links of one kind are made in one place: the first dozen is enough.
    const kinds = new Map();
    for (const link of links) {
      const kind = link.replace(/[^/]+$/, "");
      kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
      if (kinds.get(kind) <= 12) seen.add(link);
    }
  }
  assert.ok(seen.size > 40, `${seen.size} links`);
  for (const link of seen) assert.equal((await page.request.get(link)).status(), 200, link);
});

visitBothWays(site, "a page that is not there says so, and leads back", { statuses: [404] }, async (page) => {
  await go(page, "/nowhere", 404);
  assert.equal(await text(page.getByRole("heading", { level: 1 })), "Not found");
  assert.match(await text(page.getByRole("alert")), /nothing at this address/i);
  assert.equal(await page.locator("[aria-current]").count(), 0);
  await page.getByRole("link", { name: "To the overview" }).click();
  await page.waitForURL("/");
});
