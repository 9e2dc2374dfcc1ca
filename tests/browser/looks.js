// How pages look: what axe finds, what is cut off or crumbles, and a picture of each.
"use strict";

const assert = require("node:assert/strict");
const path = require("node:path");
const axe = require("axe-core");

/** What is looked at stands still. */
const STILL = { reducedMotion: "reduce" };

/** Options of a browser context, by the names that the pictures carry. */
const WINDOWS = {
  desktop: { ...STILL, viewport: { width: 1280, height: 800 } },
  phone: { ...STILL, viewport: { width: 360, height: 740 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

/** The Web Content Accessibility Guidelines 2.2 up to AA, and what is good besides. */
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
/** The rows of a table are alike: the first ones stand for all. */
const ALIKE = "tbody tr:nth-child(n + 6)";
/** The most that a picture shows of a long page, in its own pixels. */
const TALLEST = 1600;
/** The smallest letters, in pixels. */
const SMALLEST = 9;

/** What axe finds wrong. */
function violations(page, rules) {
  return page.evaluate(
    async ([rules, alike]) => {
      const { violations } = await axe.run({ exclude: [[alike]] }, { runOnly: rules, resultTypes: ["violations"] });
      return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html}: ${node.failureSummary}`));
    },
    [rules, ALIKE],
  );
}

/** What does not fit: a page wider than its window, labels of charts that are cut off, meet, or cannot be read, broken words. */
function misfits(page) {
  return page.evaluate((smallest) => {
    const wrong = [];
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth > clientWidth) wrong.push(`the page is ${scrollWidth} wide in a window of ${clientWidth}`);

    for (const chart of document.querySelectorAll("svg.chart")) {
      const frame = chart.getBoundingClientRect();
      const labels = [...chart.querySelectorAll("text")].filter((label) => label.getClientRects().length > 0);
      const boxes = labels.map((label) => label.getBoundingClientRect());
      const scale = frame.width / chart.viewBox.baseVal.width;
      labels.forEach((label, at) => {
        const [box, name] = [boxes[at], `the label ${label.textContent}`];
        const { left, top, right, bottom } = frame;
        if (box.left < left || box.right > right || box.top < top || box.bottom > bottom) wrong.push(`${name} is cut off`);
        const size = parseFloat(getComputedStyle(label).fontSize) * scale;
        if (size < smallest) wrong.push(`${name} is ${size.toFixed(1)} high`);
        const meets = boxes.slice(at + 1).some((other) =>
          box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
        if (meets) wrong.push(`${name} meets another`);
      });
    }

    // A heading's words, a day and a number are never broken over lines.
    const range = document.createRange();
    for (const cell of document.querySelectorAll("th, td, h1, h2, dt")) {
      const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const pattern = cell.matches("td") ? /(?<!\S)\d{4}(-\d\d-\d\d\S*)?(?!\S)/g : /\S+/g;
        for (const { 0: word, index } of walker.currentNode.data.matchAll(pattern)) {
          range.setStart(walker.currentNode, index);
          range.setEnd(walker.currentNode, index + word.length);
          const lines = new Set([...range.getClientRects()].map((rect) => Math.round(rect.top)));
          if (lines.size > 1) wrong.push(`${word} is broken`);
        }
      }
    }
    return [...new Set(wrong)];
  }, SMALLEST);
}

/** Takes a picture for whoever wants to look. */
async function picture(page, name) {
  const { width, height } = await page.evaluate(() => {
    const { clientWidth, scrollHeight } = document.scrollingElement;
    return { width: clientWidth, height: scrollHeight };
  });
  const clip = { x: 0, y: 0, width, height: Math.min(height, TALLEST) };
  await page.screenshot({ path: path.join(__dirname, "../../target/screenshots", `${name}.png`), fullPage: true, clip });
}

/** Nothing is wrong with how a page looks, folded and unfolded, in light and in dark; a picture of each is taken. */
async function assertLooks(page, name) {
  const wrong = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await picture(page, `${name}-${colorScheme}`);
  }
  wrong.push(...(await misfits(page)));
  await page.evaluate(() => document.querySelectorAll("details").forEach((fold) => (fold.open = true)));
  wrong.push(...(await misfits(page)));
  await page.evaluate(axe.source);
  wrong.push(...(await violations(page, RULES)));
  // It is the same page in light: only its colours are others.
  await page.emulateMedia({ colorScheme: "light" });
  wrong.push(...(await violations(page, ["color-contrast"])));
  assert.deepEqual(wrong, [], name);
}

module.exports = { WINDOWS, assertLooks };
