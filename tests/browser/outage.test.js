// The database goes away, and comes back: the site says so, and needs no restart.
"use strict";

const assert = require("node:assert/strict");
const { once } = require("node:events");
const net = require("node:net");
const { after, before } = require("node:test");
const { WINDOWS, assertLooks } = require("./looks");
const { NAVIGATION, go, serve, targetOf, text, until, visit } = require("./support");

/** A line to a database, which can be cut. */
class Line {
  #server;
  #open = new Set();
  #port = 0;

  /** `url` is the database's; a host that is a folder means the socket in it. */
  constructor(url) {
    this.url = new URL(url);
    const folder = this.url.searchParams.get("host");
    const port = this.url.port || 5432;
    this.beyond = folder ? { path: `${folder}/.s.PGSQL.${port}` } : { host: this.url.hostname, port };
  }

  /** Where it begins. */
  get target() {
    const target = new URL(this.url);
    target.searchParams.delete("host");
    target.host = `127.0.0.1:${this.#port}`;
    return target.href;
  }

  /** Opens it, where it is not. */
  async mend() {
    if (this.#server?.listening) return;
    this.#server = net.createServer((near) => {
      const far = net.connect(this.beyond);
      for (const [one, other] of [[near, far], [far, near]]) {
        this.#open.add(one);
        one.pipe(other);
        one.on("error", () => other.destroy());
        one.on("close", () => this.#open.delete(one) && other.destroy());
      }
    });
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = this.#server.address().port;
  }

  /** Closes it, and whatever goes over it. */
  async cut() {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
    await closed;
  }
}

const line = new Line(targetOf("sample"));
const site = {};
before(async () => {
  await line.mend();
  // Nobody wants to wait for the tests' sake as long as a reader may be made to.
  Object.assign(site, await serve(line.target, { MTM_POOL_ACQUIRE_TIMEOUT: "500ms" }));
});
after(async () => {
  await site.stop();
  await line.cut();
});

const status = async (address) => (await fetch(site.url + address)).status;

visit(site, "every page says that the database is away, and works once it is back", { statuses: [503] }, async (page) => {
  await line.mend();
  await until("ready at first", async () => (await status("/readyz")) === 200);
  await line.cut();
  for (const [address, name] of NAVIGATION) {
    // The search asks nothing of the database until it is asked something.
    const asked = address === "/search" ? "/search?q=velvet" : address;
    const answer = await go(page, asked, 503);
    assert.match(answer.headers()["retry-after"], /^\d+$/);
    assert.match(answer.headers()["cache-control"], /no-store/);
    assert.equal(await text(page.getByRole("heading", { level: 1 })), "The database does not answer");
    assert.match(await text(page.getByRole("alert")), /the site is up, its database is not/i);
    assert.equal(await page.getByRole("navigation").getByRole("link", { name }).count(), 1);
  }
  const others = ["/tracks/none", "/playlists/forgotten-gems.csv", "/export.jsonl", "/api/overview", "/api/machine", "/readyz"];
  const answers = await Promise.all(others.map(async (address) => [address, await status(address)]));
  assert.deepEqual(answers, others.map((address) => [address, 503]));
  assert.equal(await status("/healthz"), 200);

  await line.mend();
  await until("ready again", async () => (await status("/readyz")) === 200);
  for (const [address, name] of NAVIGATION) {
    await until(`${address} is back`, async () => (await page.goto(address)).status() === 200);
    assert.equal(await text(page.getByRole("heading", { level: 1 })), name);
  }
});

for (const [window, options] of Object.entries(WINDOWS)) {
  visit(site, `the page that says so on a ${window}`, { ...options, statuses: [503] }, async (page) => {
    await line.mend();
    await line.cut();
    await go(page, "/machine", 503);
    await assertLooks(page, `outage-${window}`);
  });
}
