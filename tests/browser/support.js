// What the tests share: the sites of the databases that `run` makes, a browser, and pages that are watched.
"use strict";

const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { createInterface } = require("node:readline");
const { after, before, test } = require("node:test");
const { chromium } = require("playwright-core");

/** The pages that the navigation leads to: address, and name, which is the heading too. */
const NAVIGATION = [
  ["/", "Overview"],
  ["/dashboard", "Dashboard"],
  ["/analytics", "Analytics"],
  ["/machine", "Time machine"],
  ["/search", "Search"],
  ["/playlists", "Playlists"],
  ["/explore", "Explore"],
  ["/migration", "Migration"],
  ["/settings", "Settings"],
];

/** How long a page, or anything on it, may take: far more than on a machine that has nothing else to do. */
const PATIENCE_MS = 15_000;

/** What a writer has to send. */
const TOKEN = "a-token-for-the-tests";

/** What `run` says. */
function told(name) {
  assert.ok(process.env[name], `${name} is not set: run the tests with tests/browser/run`);
  return process.env[name];
}

/** The URL of a database that `run` made: `sample`, `empty` or `hostile`. */
const targetOf = (database) => told("MTM_TEST_DATABASE").replace("{}", database);

/** Starts `mtm serve`; the site is up once this returns. */
async function serve(target, environment = {}) {
  const { PATH, HOME, TMPDIR } = process.env;
  const program = spawn(told("MTM"), ["serve", "--target", target, "--bind", "127.0.0.1", "--port", "0"], {
    cwd: path.join(__dirname, "../.."),
    env: { PATH, HOME, TMPDIR, MTM_API_TOKEN: TOKEN, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = once(program, "exit");
  const log = [];
  const address = new Promise((resolve) => {
    createInterface({ input: program.stderr }).on("line", (line) => {
      log.push(line);
      const [url] = line.match(/(?<= is at )http:\S+/) ?? [];
      if (url) resolve(url);
    });
  });
  const url = await Promise.race([address, ended.then(() => assert.fail(`mtm serve ended: ${log.join("\n")}`))]);
  const stop = async () => {
    program.kill("SIGTERM");
    const [code] = await ended;
    assert.equal(code, 0, `mtm serve did not end in order: ${log.join("\n")}`);
  };
  return { url, stop };
}

/** The site of a database, for as long as the tests of the file run; `prepare` is what it is to be told before. */
function siteOf(database, prepare = async () => {}) {
  const site = {};
  before(async () => {
    Object.assign(site, await serve(targetOf(database)));
    await prepare(site);
  });
  after(() => site.stop());
  return site;
}

let launched;

/** One browser for the tests of the file. */
function browser() {
  launched ??= chromium.launch({ executablePath: told("MTM_BROWSER") });
  return launched;
}
after(async () => (await launched)?.close());

/** Notes whatever goes wrong on the pages of a context, but for answers of the statuses that are expected. */
function watch(context, site, statuses) {
  const wrong = [];
  context.on("request", (request) => {
    if (new URL(request.url()).origin !== site.url) wrong.push(`a request to ${request.url()}`);
  });
  context.on("response", (response) => {
    const status = response.status();
    if (status >= 400 && !statuses.includes(status)) wrong.push(`${status} from ${response.url()}`);
  });
  context.on("console", (message) => {
    if (!["error", "warning"].includes(message.type())) return;
    const [, status] = message.text().match(/the server responded with a status of (\d+)/) ?? [];
    if (!statuses.includes(Number(status))) wrong.push(`in the console: ${message.text()}`);
  });
  context.on("weberror", (error) => wrong.push(`in a script: ${error.error()}`));
  context.on("dialog", (dialog) => {
    wrong.push(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return wrong;
}

/**
 * A test on a page of its own, in which nothing may go wrong: no message in the console (which is where a breach of the
 * content security policy is told), no request to elsewhere, no dialog, no error. `options` are those of a browser context,
 * and `statuses`, those of errors that the test asks for.
 */
function visit(site, name, options, body) {
  const { statuses = [], ...looks } = options;
  test(name, async () => {
    const context = await (await browser()).newContext({ baseURL: site.url, ...looks });
    try {
      context.setDefaultTimeout(PATIENCE_MS);
      const wrong = watch(context, site, statuses);
      await body(await context.newPage(), { scripts: options.javaScriptEnabled !== false });
      assert.deepEqual(wrong, []);
    } finally {
      await context.close();
    }
  });
}

/** The same with scripts and without: every page works without them. */
function visitBothWays(site, name, options, body) {
  visit(site, name, options, body);
  visit(site, `${name}, without scripts`, { ...options, javaScriptEnabled: false }, body);
}

/** Goes to a page, which has to answer with this status; what it says is returned. */
async function go(page, address, status = 200) {
  const response = await page.goto(address);
  assert.equal(response.status(), status, address);
  return response;
}

/** Asks until the answer is the wanted one, and fails when that takes too long. */
async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `not within ${PATIENCE_MS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The text of each element, with its white space as it is read. */
const texts = async (locator) => (await locator.allInnerTexts()).map((text) => text.replace(/\s+/g, " ").trim());

/** The text of the only such element. */
const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();

module.exports = { NAVIGATION, TOKEN, browser, go, serve, siteOf, targetOf, text, texts, until, visit, visitBothWays };
