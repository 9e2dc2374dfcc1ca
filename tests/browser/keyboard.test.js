// Without a mouse: everything is reached and used with the keyboard, and one sees where one is.
"use strict";

const assert = require("node:assert/strict");
const { NAVIGATION, go, siteOf, text, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

/** What has the focus: its text or label, and whether one sees that it has. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    const { left, top, width } = element.getBoundingClientRect();
    return {
      name: (element.labels?.[0] ?? element).textContent.trim().replace(/\s+/g, " "),
      seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && width > 0 && left >= 0 && top >= 0,
    };
  });

/** Presses Tab until this has the focus. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 200; presses += 1) {
    await page.keyboard.press("Tab");
    const { name: here, seen } = await focused(page);
    if (here === name || (name instanceof RegExp && name.test(here))) {
      assert.ok(seen, `the focus on ${here} can be seen`);
      return;
    }
  }
  assert.fail(`Tab does not lead to ${name}`);
}

visitBothWays(site, "Tab leads through the head of the page in its order", {}, async (page) => {
  await go(page, "/");
  for (const name of ["Skip to the page", "Music Time Machine", ...NAVIGATION.map(([, name]) => name)]) {
    await page.keyboard.press("Tab");
    assert.deepEqual(await focused(page), { name, seen: true });
  }
});

visitBothWays(site, "the first link skips the navigation", {}, async (page) => {
  await go(page, "/search?q=velvet");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/#main$/);
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).name, "Title or artist");
});

visitBothWays(site, "Enter follows, asks, unfolds and presses", { colorScheme: "light" }, async (page) => {
  await go(page, "/");
  await tabTo(page, "Search");
  await page.keyboard.press("Enter");
  await page.waitForURL("/search");
  // Who comes to search begins to type.
  assert.equal((await focused(page)).name, "Title or artist");
  await page.keyboard.type("velvet");
  await page.keyboard.press("Enter");
  await page.waitForURL(/q=velvet/);
  await tabTo(page, /^Velvet/);
  await page.keyboard.press("Enter");
  await page.waitForURL("/tracks/*");
  await tabTo(page, /^{ \d+ }$/);
  await page.keyboard.press("Enter");
  assert.equal(await page.locator("[data-payload] > li > details[open]").count(), 0);
  await tabTo(page, "dark");
  await page.keyboard.press("Space");
  await page.locator("html[data-theme=dark]").waitFor();
});

visitBothWays(site, "Tab leads through every link and field of a page, and out of it", {}, async (page) => {
  for (const address of ["/", "/search?q=velvet", "/explore", "/migration", "/settings"]) {
    await go(page, address);
    const stops = await page.locator("a, button, input, select, summary, [tabindex='0']").filter({ visible: true }).count();
    const seen = [];
    for (let presses = 0; presses <= stops; presses += 1) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement === document.body)) break;
      seen.push(await focused(page));
    }
    assert.ok(seen.length >= stops - 1, `${address}: ${seen.length} of ${stops}`);
    for (const { name, seen: visible } of seen) assert.ok(visible, `${address}: the focus on ${name} can be seen`);
  }
});

visit(site, "/ leads to the search, and is a letter where one writes", {}, async (page) => {
  await go(page, "/migration");
  await page.keyboard.press("/");
  await page.waitForURL("/search");
  const field = page.getByLabel("Title or artist");
  await page.keyboard.type("a/b");
  assert.equal(await field.inputValue(), "a/b");
  await go(page, "/search?q=velvet");
  await page.keyboard.press("/");
  assert.equal((await focused(page)).name, "Title or artist");
  assert.equal(await field.inputValue(), "velvet");
});

visitBothWays(site, "a date can be written without being taken away while one writes", {}, async (page) => {
  await go(page, "/machine");
  const before = page.url();
  await page.getByLabel("As it stood on").focus();
  await page.keyboard.type("06052026");
  assert.equal(await page.getByLabel("As it stood on").inputValue(), "2026-06-05");
  assert.equal(page.url(), before);
  await page.keyboard.press("Enter");
  await page.waitForURL(/date=2026-06-05/);
  assert.equal(await text(page.locator("h2").first()), "2026-06-05");
});

visitBothWays(site, "a time range is looked for without being asked for on the way", {}, async (page) => {
  await go(page, "/machine?date=2026-06-05");
  const before = page.url();
  await page.getByLabel("Time range").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.getByLabel("Time range").inputValue(), "long_term");
  assert.equal(page.url(), before);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/range=long_term/);
});
