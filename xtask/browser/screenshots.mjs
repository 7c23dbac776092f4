// Pictures of every page at desk and phone width, light and dark: `node screenshots.mjs FOLDER [PAGE…]`, with a demo shop that has traded.
// With $SHOP (and $LINK to sign in) a running shop is used instead.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { client, folder, launch, start } from "./shop.mjs";

const [out = "screenshots", ...only] = process.argv.slice(2);
mkdirSync(out, { recursive: true });
let at = { base: process.env.SHOP, link: process.env.LINK, key: process.env.KEY }, server;
if (!at.base) {
  server = start(["demo", "--data-dir", join(folder(), "demo"), "--speed", "200000", "--days", "5", "--listen", "127.0.0.1:0"]);
  at = await server.ready;
  const api = client(at.base, at.key);
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  // Lists may be behind while the demo trades as fast as it can.
  for (let tries = 0; tries < 300; tries++) { await pause(500); const got = await api("GET", "/v1/orders?limit=150").catch(() => ({ data: [] })); if (got.data.length >= 120) break; }
}
const browser = await launch();
const signed = await browser.newContext();
const first = await signed.newPage();
await first.goto(at.link, { waitUntil: "load" });
const state = await signed.storageState();
const api = client(at.base, at.key);
const list = async (path, tries = 40) => { try { return (await api("GET", path)).data; } catch (error) { if (!tries) throw error; await new Promise((resolve) => setTimeout(resolve, 500)); return list(path, tries - 1); } };
const orders = await list("/v1/orders?limit=50"), work = await list("/v1/fulfillments?limit=5"), purchases = await list("/v1/purchase-orders?limit=5"), alerts = await list("/v1/alerts?limit=3");
const busiest = orders.slice().sort((a, b) => b.fulfillments.length - a.fulfillments.length || b.lines.length - a.lines.length)[0];
const open = orders.find((order) => order.status === "open") || busiest;
const pages = {
  "sign-in": "/sign-in", overview: "/", orders: "/orders", order: `/orders/${busiest.id}`, "order-cancel": `/orders/${open.id}/cancel`,
  returns: "/returns", stock: "/stock", sku: `/stock/${encodeURIComponent(busiest.lines[0].sku)}`, replenishment: "/replenishment", "purchase-order": purchases[0] && `/purchase-orders/${purchases[0].id}`,
  fulfillment: "/fulfillment", work: work[0] && `/fulfillment/${work[0].id}`, subscriptions: "/subscriptions", events: "/events", alerts: "/alerts", settings: "/settings", more: "/more",
};
for (const [name, path] of Object.entries(pages)) {
  if (!path || only.length && !only.includes(name)) continue;
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    for (const colorScheme of ["light", "dark"]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, storageState: name === "sign-in" ? undefined : state, deviceScaleFactor: width < 500 ? 2 : 1 });
      const page = await context.newPage();
      const response = await page.goto(at.base + path, { waitUntil: "load" });
      await page.waitForTimeout(250);
      await page.screenshot({ path: join(out, `${name}-${width}-${colorScheme}.png`), fullPage: false });
      if (width === 1440 && colorScheme === "light") console.log(name, response.status(), (await response.body()).length, "bytes");
      await context.close();
    }
  }
}
await browser.close();
await server?.stop();
process.exit(0);
