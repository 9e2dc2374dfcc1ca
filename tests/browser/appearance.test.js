// Every page as a reader sees it: on a desktop and on a phone, in light and in dark.
"use strict";

const { WINDOWS, assertLooks } = require("./looks");
const { go, siteOf, visit } = require("./support");

const site = siteOf("sample");

const PAGES = {
  overview: "/",
  dashboard: "/dashboard",
  analytics: "/analytics?range=all",
  machine: "/machine?date=2026-10-30",
  "machine-before-all": "/machine?date=2001-01-01",
  search: "/search?q=velvet",
  "search-empty": "/search",
  playlists: "/playlists",
  explore: "/explore?question=released-in",
  migration: "/migration",
  settings: "/settings",
};

const FAULTS = { "not-found": ["/nowhere", 404], "bad-request": ["/machine?date=yesterday", 400] };

for (const [window, options] of Object.entries(WINDOWS)) {
  for (const [name, address] of Object.entries(PAGES)) {
    visit(site, `${name} on a ${window}`, options, async (page) => {
      await go(page, address);
      await assertLooks(page, `${name}-${window}`);
    });
  }

  visit(site, `a track on a ${window}`, options, async (page) => {
    await go(page, "/machine");
    await page.locator("td a").first().click();
    await page.waitForURL("/tracks/*");
    await assertLooks(page, `track-${window}`);
  });

  for (const [name, [address, status]] of Object.entries(FAULTS)) {
    visit(site, `${name} on a ${window}`, { ...options, statuses: [status] }, async (page) => {
      await go(page, address, status);
      await assertLooks(page, `${name}-${window}`);
    });
  }
}
