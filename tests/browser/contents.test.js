// What the other pages show, and what can be done there.
"use strict";

const assert = require("node:assert/strict");
const { readFile } = require("node:fs/promises");
const { go, siteOf, text, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

/** The number that a text begins with. */
const number = (text) => Number(text.replaceAll(",", "").match(/^\d+/)[0]);

/** What a link saves, and under which name. */
async function download(page, name) {
  const [saved] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name }).click()]);
  assert.equal(await saved.failure(), null);
  return { file: saved.suggestedFilename(), content: await readFile(await saved.path(), "utf8") };
}

visitBothWays(site, "the overview counts, and draws what each snapshot brought", {}, async (page) => {
  await go(page, "/");
  const told = await (await page.request.get("/api/overview")).json();
  const [tracks, places, turnover, artist] = await texts(page.locator(".card dd"));
  assert.equal(number(tracks), told.tracks);
  assert.equal(number(places), told.places);
  assert.match(turnover, /^\d+\.\d % /);
  assert.ok(artist.startsWith(told.most_consistent_artist.artist_name));

  const bars = await page.locator("svg.chart .bar title").allTextContents();
  assert.deepEqual(bars, told.first_seen.map(({ day, tracks }) => `${day}: ${tracks} tracks`));
  await page.getByText("The figures").click();
  const rows = await texts(page.locator("details tbody tr"));
  assert.deepEqual(rows, told.first_seen.map(({ day, tracks }) => `${day} ${tracks}`));
  await page.locator("details tbody a").first().click();
  await page.waitForURL(`/machine?date=${told.first_seen[0].day}`);
});

visitBothWays(site, "the dashboard tells what the payloads say", {}, async (page) => {
  await go(page, "/dashboard");
  const told = await (await page.request.get("/api/dashboard")).json();
  assert.equal(told.release_years.length, 10);
  assert.equal(await page.locator("svg.chart .bar").count(), 10);
  const payloads = await texts(page.locator("section:first-of-type td:nth-child(2)"));
  assert.equal(payloads.map(number).reduce((sum, count) => sum + count), told.payloads);
  await page.getByText("The figures").click();
  await page.getByRole("link", { name: told.release_years[0].year }).click();
  await page.waitForURL(`/search?year=${told.release_years[0].year}`);
  assert.match(await text(page.getByRole("status")), new RegExp(`^${told.release_years[0].tracks} tracks are found`));
});

visitBothWays(site, "the analytics look as far back as they are asked to", {}, async (page) => {
  await go(page, "/analytics");
  const ranges = page.getByRole("list", { name: "How far back" });
  assert.deepEqual(await texts(ranges.locator("[aria-current]")), ["12 months"]);
  const months = {};
  for (const [range, word] of [["6 months", "6m"], ["12 months", "12m"], ["24 months", "24m"], ["All", "all"]]) {
    await ranges.getByRole("link", { name: range, exact: true }).click();
    await page.waitForURL(`/analytics?range=${word}`);
    assert.deepEqual(await texts(ranges.locator("[aria-current]")), [range]);
    const told = await (await page.request.get(`/api/analytics?range=${word}`)).json();
    months[word] = await page.locator("svg.chart").first().locator(".bar").count();
    assert.equal(months[word], told.growth.length);
    assert.equal(await page.getByText(/^Since \d{4}-\d\d-\d\d/).count(), word === "all" ? 0 : 1);
    assert.equal(await page.locator("svg.chart").count(), 4);
    const artists = await texts(page.locator("table").last().locator("td a"));
    assert.deepEqual(artists, told.most_consistent_artists.map((artist) => artist.artist_name));
  }
  assert.ok(months["6m"] < months["12m"] && months["12m"] < months.all, JSON.stringify(months));
  await go(page, "/analytics?range=for-ever");
  assert.deepEqual(await texts(ranges.locator("[aria-current]")), ["12 months"]);
});

visitBothWays(site, "playlists are looked at, and taken along", {}, async (page) => {
  await go(page, "/playlists");
  const titles = ["Forgotten gems", "Recent discoveries", "Current rotation"];
  assert.deepEqual(await texts(page.locator("main h2")), titles);
  for (const title of titles) {
    const section = page.getByRole("region", { name: title });
    const summary = section.locator("summary");
    const tracks = number(await text(summary));
    assert.ok(tracks > 0, title);
    if (!(await section.locator("table").isVisible())) await summary.click();
    const names = await section.locator("td:nth-child(2) a").allTextContents();
    assert.equal(names.length, tracks);

    const slug = title.toLowerCase().replace(" ", "-");
    const csv = await download(page, `${title} as CSV`);
    assert.equal(csv.file, `${slug}.csv`);
    const records = csv.content.trimEnd().split("\r\n");
    assert.equal(records[0], "track_id,name,artist_name,duration_ms,spotify_url,rank,day");
    assert.equal(records.length - 1, tracks);

    const m3u = await download(page, `${title} as M3U`);
    assert.equal(m3u.file, `${slug}.m3u`);
    const lines = m3u.content.trimEnd().split("\n");
    assert.deepEqual(lines.slice(0, 3), ["#EXTM3U", "#EXTENC:UTF-8", `#PLAYLIST:${title}`]);
    assert.equal(lines.length, 3 + 2 * tracks);
    names.forEach((name, at) => assert.ok(lines[3 + 2 * at].endsWith(` - ${name}`), lines[3 + 2 * at]));
  }
});

/** Questions that take a value are asked with one that is there, below. */
const ASKED_WITH = ["Released in a year", "The track of an ISRC", "Tracks that an artist takes part in"];

visitBothWays(site, "each question of the payload shows its SQL, its rows, and how it is answered", {}, async (page) => {
  await go(page, "/explore");
  const questions = page.getByRole("list", { name: "Questions" });
  const titles = await texts(questions.getByRole("link"));
  assert.equal(titles.length, 9);
  for (const title of titles) {
    await questions.getByRole("link", { name: title, exact: true }).click();
    await page.waitForURL(/question=/);
    assert.equal(await text(page.getByRole("heading", { level: 2 })), title);
    assert.deepEqual(await texts(questions.locator("[aria-current]")), [title]);
    assert.match(await page.getByLabel("SQL").innerText(), /^SELECT .+\nFROM tracks\nWHERE /);
    assert.match(await page.getByLabel("EXPLAIN").innerText(), /(Scan|Sort|Limit).+\(cost=/);
    const rows = await page.locator("tbody tr").count();
    assert.match(await text(page.getByRole("status")), new RegExp(`^${rows} rows? in `));
    assert.equal(await page.locator("main form").count(), ASKED_WITH.includes(title) ? 1 : 0);
    assert.ok(rows > 0 || ASKED_WITH.includes(title), `${title}: no row`);
  }
});

visitBothWays(site, "questions of the payload take a value", {}, async (page) => {
  await go(page, "/explore?question=has-isrc");
  const isrc = await text(page.locator("tbody td:nth-child(2)").first());
  const id = (await page.locator("tbody a").first().getAttribute("href")).split("/").pop();
  const { payload } = await (await page.request.get(`/api/tracks/${id}`)).json();

  const values = { "released-in": ["Year", "2021"], isrc: ["ISRC", isrc], artist: ["Artist", payload.artists[0].name] };
  for (const [question, [name, value]] of Object.entries(values)) {
    await go(page, `/explore?question=${question}`);
    for (const [asked, found] of [[value, true], ["' OR true --", false]]) {
      await page.getByLabel(name).fill(asked);
      const answered = page.waitForURL((url) => url.searchParams.get("value") === asked);
      await page.getByRole("button", { name: "Ask" }).click();
      await answered;
      assert.equal(await page.getByLabel(name).inputValue(), asked);
      assert.equal((await page.locator("tbody tr").count()) > 0, found, `${question}: ${asked}`);
    }
  }
  await go(page, "/explore?question=released-in&value=2021");
  for (const date of await texts(page.locator("tbody td:nth-child(2)"))) assert.match(date, /^2021/);
});

visit(site, "a question or a track that is not there is answered by a page", { statuses: [404] }, async (page) => {
  for (const address of ["/explore?question=why", "/tracks/none", "/playlists/none.csv", "/playlists/forgotten-gems.exe"]) {
    await go(page, address, 404);
    assert.equal(await text(page.getByRole("heading", { level: 1 })), "Not found");
  }
});

visitBothWays(site, "the migration shows the proof, and what made it", {}, async (page) => {
  await go(page, "/migration");
  assert.match(await text(page.locator(".lead")), /^Proven:/);
  const counts = await (await page.request.get("/api/settings")).json();
  const rows = (at) => texts(page.locator("table").nth(at).locator("tbody tr"));
  const [proof, versions, copies, runs] = await Promise.all([0, 1, 2, 3].map(rows));
  const grouped = (count) => count.toLocaleString("en");
  assert.deepEqual(proof, [
    `tracks ${grouped(counts.tracks)} ${grouped(counts.tracks)} 0`,
    `snapshots ${grouped(counts.places)} ${grouped(counts.places)} 0`,
  ]);
  assert.ok(versions.length > 0 && versions.every((version) => /^m\d{8}_\d{6}_\w+ applied$/.test(version)), versions);
  assert.equal(copies.length, 2);
  assert.match(runs[0], /^mtm apply .+ done$/);
});

visitBothWays(site, "the settings tell of the connection, and export all data", {}, async (page) => {
  await go(page, "/settings");
  const [tracks, places, day] = await texts(page.locator(".card dd"));
  assert.match(day, /^\d{4}-\d\d-\d\d$/);
  assert.match(await text(page.getByRole("row", { name: "Server" })), /PostgreSQL \d+/);
  assert.match(await text(page.getByRole("row", { name: "Open sessions" })), /\d+, \d+ of them idle/);

  const { file, content } = await download(page, "Export");
  assert.equal(file, "music-time-machine.jsonl");
  const lines = content.trimEnd().split("\n").map(JSON.parse);
  const end = { table: "end", tracks: number(tracks), snapshots: number(places) };
  assert.deepEqual(lines.at(-1), end);
  assert.equal(lines.length, end.tracks + end.snapshots + 1);
  assert.equal(lines.filter(({ table }) => table === "tracks").length, end.tracks);
});
