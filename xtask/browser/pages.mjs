// Every page in light and dark, at desk and phone width: axe-core finds nothing, nothing is wider than the screen, each stays below 100 KB.
import { readFileSync } from "node:fs";
import { axe, check, client, folder, furnish, launch, place, start } from "./shop.mjs";

const server = start(["serve", "--data-dir", folder(), "--listen", "127.0.0.1:0", "--allow-private-webhooks"]);
const { base, link, key } = await server.ready;
const api = client(base, key);
await furnish(api);
const order = await place(api, [["MUG-RED", 2], ["CAP", 110]]);
for (let more = 0; more < 20; more++) await place(api, [["MUG-BLUE", 1]]);
for (let tries = 0; tries < 100 && !(await api("GET", `/v1/orders/${order.id}`)).fulfillments.length; tries++) await new Promise((resolve) => setTimeout(resolve, 50));
const work = (await api("GET", `/v1/orders/${order.id}`)).fulfillments[0];
const purchase = (await api("GET", "/v1/purchase-orders")).data[0];
await api("POST", "/v1/transfers", { from: "AUS", to: "BER", lines: [{ sku: "MUG-RED", quantity: 3 }] });
await api("POST", "/v1/counts", { location: "AUS", skus: ["MUG-RED", "CAP"] });
await api("POST", "/v1/subscriptions", { name: "ERP", kind: "webhook", webhook: { url: "http://127.0.0.1:9/events" } });
await api("POST", "/v1/subscriptions", { name: "Warehouse", kind: "pull" });
const paths = ["/", "/orders", `/orders/${order.id}`, `/orders/${order.id}/cancel`, `/orders/${order.id}/refund`, "/orders?q=nothing", "/stock", "/stock/MUG-RED", "/stock/MUG-RED/adjust", "/stock/CAP/policy?location=AUS",
  "/returns", "/replenishment", purchase && `/purchase-orders/${purchase.id}`, purchase && `/purchase-orders/${purchase.id}/send`, "/fulfillment", work && `/fulfillment/${work.id}`, "/fulfillment/pick-list?location=AUS", work && `/fulfillment/${work.id}/packing-slip`,
  "/transfers/tr_1", "/transfers/tr_1/ship", "/counts/cnt_1", "/counts/cnt_1/record", "/stock/MUG-RED/transfer", "/events", "/events/3", "/subscriptions", "/subscriptions/sub_1", "/subscriptions/sub_1/redeliver", "/settings/mails", "/no-such-page", "/alerts", "/settings", "/settings/channels/web", "/settings/keys/new", "/more", "/orders/ord_ZZZ", "/sign-in"].filter(Boolean);
const source = readFileSync(axe, "utf8");
const browser = await launch();
const signed = await browser.newContext();
await (await signed.newPage()).goto(link);
const state = await signed.storageState();
let findings = 0;
for (const path of paths) {
  for (const [colorScheme, width] of [["light", 1440], ["dark", 390]]) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, storageState: path === "/sign-in" ? undefined : state, bypassCSP: true });
    const page = await context.newPage();
    const response = await page.goto(base + path, { waitUntil: "load" });
    await page.evaluate(source);
    const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    for (const found of violations) { findings++; console.log(`  ${path} ${colorScheme}: ${found.id}, ${found.help}: ${found.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`); }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    if (wide > 1) { findings++; console.log(`  ${path} at ${width}: ${wide} px too wide`); }
    const bytes = (await response.body()).length;
    if (bytes > 100 * 1024) { findings++; console.log(`  ${path}: ${bytes} bytes`); }
    const policy = response.headers()["content-security-policy"] || "";
    if (!policy.includes("default-src 'none'") || /unsafe/.test(policy)) { findings++; console.log(`  ${path}: policy ${policy}`); }
    await context.close();
  }
}
check(`${paths.length} pages, light and dark, desk and phone: nothing found`, findings === 0);
await browser.close();
await server.stop();
process.exit(0);
