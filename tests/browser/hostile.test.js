// Names, and what is asked, that would be markup if they were not text.
"use strict";

const assert = require("node:assert/strict");
const { TOKEN, go, siteOf, text, until, visit, visitBothWays } = require("./support");

const NAME = "<script>alert(1)</script>";
const ARTIST = '"><img src=x onerror=alert(2)>';
const ALBUM = "</title><svg onload=alert(3)>";
const ID = `'"><b>&amp;?#%2f/`;
const KEY = "<style>*{display:none}</style>";

/** A page of Spotify's, as an enemy would write it. */
const TOP_TRACKS = {
  items: [
    {
      id: ID,
      name: NAME,
      artists: [{ name: ARTIST }],
      album: { name: ALBUM, release_date: "<i>x</i>", album_type: "single", [KEY]: "{{ 7 * 7 }}" },
      duration_ms: 1000,
      explicit: true,
      external_ids: { isrc: "</code></pre><img src=x onerror=alert(4)>" },
      external_urls: { spotify: "javascript:alert(5)" },
    },
  ],
};

// Two days, so that every page has something to say of it.
const site = siteOf("hostile", async ({ url }) => {
  for (const date of ["2026-01-02", "2026-01-09"]) {
    const answer = await fetch(`${url}/api/snapshots?time_range=short_term&date=${date}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${TOKEN}`, "Content-Type": "application/json" },
      body: JSON.stringify(TOP_TRACKS),
    });
    assert.equal(answer.status, 201, await answer.text());
  }
});

/** The page is made of what the templates say, and of text. */
async function assertHarmless(page, address) {
  assert.equal(await page.locator("script").count(), 1, `${address}: its own script alone`);
  const markup = page.locator("img, style, b, i, main script, main svg:not(.chart), [onload], [onerror]");
  assert.equal(await markup.count(), 0, address);
  const links = await page.locator("a").evaluateAll((all) => all.map((link) => link.protocol));
  for (const protocol of links) assert.match(protocol, /^https?:$/, address);
}

visitBothWays(site, "names are shown as the text that they are", {}, async (page) => {
  const shows = {
    "/": [ARTIST],
    "/analytics?range=all": [ARTIST],
    "/machine?date=2026-01-05": [NAME, ARTIST],
    "/search?q=alert": [NAME, ARTIST],
    "/search?explicit=yes": [NAME, ARTIST, ALBUM],
    "/playlists": [NAME, ARTIST],
    "/explore?question=singles": [NAME, ARTIST],
    "/explore?question=has-isrc": [TOP_TRACKS.items[0].external_ids.isrc],
    [`/tracks/${encodeURIComponent(ID)}?find=7`]: [NAME, ARTIST, ALBUM, KEY],
  };
  for (const [address, names] of Object.entries(shows)) {
    // What takes long to count is shown as it was until it is counted anew.
    await until(`${address} shows ${names}`, async () => {
      await go(page, address);
      const main = await page.getByRole("main").textContent();
      return names.every((name) => main.includes(name));
    });
    await assertHarmless(page, address);
  }
});

visitBothWays(site, "links lead to the track and the artist, whatever they are called", {}, async (page) => {
  await go(page, "/machine");
  await page.getByRole("link", { name: NAME }).first().click();
  await page.waitForURL("/tracks/*");
  assert.equal(await text(page.getByRole("heading", { level: 1 })), NAME);
  assert.equal(await page.title(), `${NAME} · ${ARTIST} · Music Time Machine`);
  assert.equal(await page.locator("svg.chart").getAttribute("aria-label"), `Places of ${NAME} in the charts`);
  assert.equal(await page.getByRole("link", { name: "Listen on Spotify" }).count(), 0);
  await assertHarmless(page, "the track");
  await page.getByRole("link", { name: "More of the artist" }).click();
  await page.waitForURL(/\/search\?q=/);
  assert.equal(await page.getByLabel("Title or artist").inputValue(), ARTIST);
  assert.equal(await page.getByRole("link", { name: NAME }).count(), 1);
});

visitBothWays(site, "what is asked is shown as the text that it is", {}, async (page) => {
  const hostile = encodeURIComponent(`'"></title></textarea><script>alert(6)</script>`);
  for (const address of [`/search?q=${hostile}`, `/explore?question=artist&value=${hostile}`, `/analytics?range=${hostile}`]) {
    await go(page, address);
    await assertHarmless(page, address);
  }
  await go(page, `/tracks/${encodeURIComponent(ID)}?find=${hostile}`);
  await assertHarmless(page, "the track's payload");
});

visit(site, "what cannot be answered is not echoed as markup", { statuses: [400, 404] }, async (page) => {
  const hostile = encodeURIComponent("<script>alert(7)</script><img src=x onerror=alert(8)>");
  const addresses = {
    [`/${hostile}`]: 404,
    [`/tracks/${hostile}`]: 404,
    [`/playlists/${hostile}.csv`]: 404,
    [`/explore?question=${hostile}`]: 404,
    [`/machine?date=${hostile}`]: 400,
    [`/search?year=${hostile}`]: 400,
  };
  for (const [address, status] of Object.entries(addresses)) {
    await go(page, address, status);
    await assertHarmless(page, address);
  }
});
