// Light and dark: as the system has it, or as it is chosen.
"use strict";

const assert = require("node:assert/strict");
const { go, siteOf, texts, visit, visitBothWays } = require("./support");

const site = siteOf("sample");

const background = (page) => page.locator("html").evaluate((html) => getComputedStyle(html).backgroundColor);
const pressed = (page) => texts(page.getByRole("button", { pressed: true }));

/** How bright a colour is, from 0 to 1, as the Web Content Accessibility Guidelines reckon it (relative luminance). */
function luminance(colour) {
  const linear = (of) => (of <= 0.04045 ? of / 12.92 : ((of + 0.055) / 1.055) ** 2.4);
  const [red, green, blue] = colour.match(/[\d.]+/g).slice(0, 3).map((part) => linear(part / 255));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** How well two colours can be told apart, from 1 to 21. */
function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

/** Presses a button of the footer, and waits for what it does. */
async function choose(page, theme) {
  const answered = page.waitForResponse("/settings/theme");
  await page.getByRole("group", { name: "Colours" }).getByRole("button", { name: theme }).click();
  await answered;
  await page.locator(`html[data-theme=${theme}]`).waitFor();
}

visitBothWays(site, "the buttons change the colours, and they stay", { colorScheme: "light" }, async (page) => {
  await go(page, "/machine?date=2026-06-05");
  const light = await background(page);
  assert.ok(luminance(light) > 0.8, light);
  assert.deepEqual(await pressed(page), ["system"]);

  await choose(page, "dark");
  const dark = await background(page);
  assert.ok(luminance(dark) < 0.05, dark);
  assert.deepEqual(await pressed(page), ["dark"]);
  // The page is the one that it was.
  assert.equal(new URL(page.url()).search, "?date=2026-06-05");

  await page.reload();
  assert.equal(await background(page), dark);
  await page.getByRole("link", { name: "Playlists", exact: true }).click();
  await page.waitForURL("/playlists");
  assert.equal(await background(page), dark);
  assert.deepEqual(await pressed(page), ["dark"]);

  await choose(page, "light");
  assert.equal(await background(page), light);
  await choose(page, "system");
  assert.equal(await background(page), light);
});

visitBothWays(site, "without a choice it is as the system has it", { colorScheme: "dark" }, async (page) => {
  await go(page, "/");
  const dark = await background(page);
  assert.ok(luminance(dark) < 0.05, dark);
  await page.emulateMedia({ colorScheme: "light" });
  assert.ok(luminance(await background(page)) > 0.8);
  await page.emulateMedia({ colorScheme: "dark" });

  // A choice is stronger than the system.
  await choose(page, "light");
  await page.reload();
  assert.ok(luminance(await background(page)) > 0.8);
});

for (const colorScheme of ["light", "dark"]) {
  // axe looks at text alone; 3 is what the guidelines ask for of the parts of a drawing.
  visit(site, `what is drawn can be told from its ground, ${colorScheme}`, { colorScheme }, async (page) => {
    for (const address of ["/", "/analytics?range=all"]) {
      await go(page, address);
      const drawn = await page.locator("svg.chart").evaluateAll((charts) =>
        charts.flatMap((chart) => {
          const ground = getComputedStyle(chart).backgroundColor;
          const parts = [...chart.querySelectorAll(".bar, .point, .tick")];
          return parts.map((part) => [getComputedStyle(part).fill, ground, part.matches(".tick") ? 4.5 : 3]);
        }),
      );
      assert.ok(drawn.length > 20);
      for (const [colour, ground, least] of drawn) assert.ok(contrast(colour, ground) >= least, `${colour} on ${ground}`);
    }
  });
}
