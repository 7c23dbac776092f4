// Actions clicked through to their events, refusals by role and by foreign forms, and pick-pack-ship by keyboard alone.
import { createServer } from "node:http";
import { check, client, folder, furnish, launch, place, start } from "./shop.mjs";

const server = start(["serve", "--data-dir", folder(), "--listen", "127.0.0.1:0", "--allow-private-webhooks"]);
const { base, link, key } = await server.ready;
const api = client(base, key);
await furnish(api);
const browser = await launch();
const signIn = async (secret, width = 1440) => {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  await page.goto(base + "/orders");
  check("who is not signed in is asked to", new URL(page.url()).pathname === "/sign-in");
  await page.fill("input[name=key]", secret);
  await page.click("button");
  await page.waitForURL(base + "/orders");
  return page;
};
const page = await signIn(key);
const types = async (id) => (await api("GET", `/v1/orders/${id}/timeline`)).data.map((event) => [event.type.replace("quartermaster.", "").replace(".v1", ""), event.actor]);
const until = async (id, field, value) => { for (let tries = 0; tries < 200; tries++) { const order = await api("GET", `/v1/orders/${id}`); if (order[field] === value) return order; await new Promise((resolve) => setTimeout(resolve, 50)); } throw new Error(`${id}: ${field} never became ${value}`); };
const happened = async (id, type) => { const all = await types(id); check(`${type} by admin`, all.some(([name, actor]) => name === type && actor === "admin")); };

/** Opens an action in its dialog, fills it in and presses its button. */
async function act(path, label, fields = {}) {
  await page.goto(base + path);
  await page.click(`.head .row a.button:text-is("${label}")`);
  await page.waitForSelector("dialog[open]");
  for (const [name, value] of Object.entries(fields)) await page.fill(`dialog [name="${name}"]`, String(value));
  if (Object.keys(fields).length) await page.waitForTimeout(400);
  const says = await page.locator("dialog #says").textContent();
  await page.click("dialog .row button:not(.preview)");
  await page.waitForSelector("dialog[open]", { state: "detached" });
  await page.waitForSelector("main .note");
  return says;
}

console.log("an order");
const order = await place(api, [["MUG-RED", 2], ["CAP", 1]]);
await until(order.id, "payment_status", "authorized");
let says = await act(`/orders/${order.id}`, "Hold", { reason: "address check" });
check("hold says what it does", says.includes("Order held"));
await happened(order.id, "order.held");
await act(`/orders/${order.id}`, "Release");
await happened(order.id, "order.released");
says = await act(`/orders/${order.id}`, "Edit", { "units.ol_1-1": 3 });
check("edit says the new total", /total/i.test(says));
await happened(order.id, "order.edited");
await until(order.id, "payment_status", "authorized");
says = await act(`/orders/${order.id}`, "Cancel", { "units.ol_1-1": 0, "units.ol_1-2": 1, reason: "customer" });
check("cancel says which stock is freed", says.includes("CAP"));
await happened(order.id, "order.canceled");

console.log("the warehouse, by keyboard alone");
const work = (await until(order.id, "payment_status", "authorized")).fulfillments.find((work) => work.status === "released");
await page.goto(base + "/fulfillment");
await page.keyboard.type("1001"); await page.keyboard.press("Enter");
await page.waitForURL(base + `/fulfillment/${work.id}`);
check("a scan opens the work", true);
const press = async (name) => {
  for (let tabs = 0; tabs < 60; tabs++) {
    const at = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (at === name) { await page.keyboard.press("Enter"); return; }
    await page.keyboard.press("Tab");
  }
  throw new Error(`${name} can't be reached by Tab`);
};
await press("Start picking");
await page.waitForSelector("text=Picking has begun");
for (let units = 0; units < 3; units++) { await page.keyboard.type("4006381333931"); await page.keyboard.press("Enter"); await page.waitForSelector(`text=MUG-RED: ${units + 1} of 3`); }
await page.keyboard.type("0000000000000"); await page.keyboard.press("Enter");
await page.waitForSelector("text=does not belong to this order");
check("scans are checked off, a wrong one is told", true);
await press("Packed");
await page.waitForSelector("text=Packed.");
await press("Ship");
await page.waitForSelector("dialog[open]");
await page.keyboard.type("UPS"); await page.keyboard.press("Tab"); await page.keyboard.type("1Z999");
await page.keyboard.press("Enter");
await page.waitForSelector("text=Shipped.");
await happened(order.id, "fulfillment.shipped");
await until(order.id, "payment_status", "captured");

console.log("after shipping");
says = await act(`/orders/${order.id}`, "Refund", { "units.ol_1-1": 1 });
check("refund says how much", says.includes("$12.00"));
await happened(order.id, "refund.requested");
await act(`/orders/${order.id}`, "Return", { "units.ol_1-1": 1 });
await happened(order.id, "return.requested");

console.log("a short pick in two taps");
const short = await place(api, [["MUG-BLUE", 2]]);
await until(short.id, "fulfillment_status", "unfulfilled");
const job = (await until(short.id, "payment_status", "authorized")).fulfillments[0];
await page.goto(base + `/fulfillment/${job.id}`);
await page.click("text=Start picking");
await page.waitForSelector("text=Picking has begun");
await page.click('a:has-text("Not found")');
await page.waitForSelector("dialog[open]");
await page.click("dialog button.danger");
await page.waitForSelector("text=not found");
await happened(short.id, "fulfillment.short_picked");

console.log("stock");
says = await act("/stock/CAP", "Receive", { quantity: 7 });
check("receive says how many", says.includes("7 × CAP"));
await act("/stock/CAP", "Adjust", { delta: -2 });
await act("/stock/CAP", "Count", { counted: 99 });
check("the shelf is as it was counted", (await api("GET", "/v1/stock/CAP")).levels.find((level) => level.location === "AUS").on_hand === 99);

console.log("between locations");
says = await act("/stock/CAP", "Transfer", { quantity: 4 });
check("a transfer is a draft first", says.includes("draft"));
check("and has a page", new URL(page.url()).pathname === "/transfers/tr_1");
says = await act("/transfers/tr_1", "Ship", { carrier: "DHL" });
check("shipping says what leaves", says.includes("CAP"));
await act("/transfers/tr_1", "Receive", { "accepted.0": 3, "damaged.0": 1 });
const moved = await api("GET", "/v1/transfers/tr_1");
check("what arrived is told apart", moved.status === "received" && moved.lines[0].damaged === 1);
await api("POST", "/v1/counts", { location: "AUS", skus: ["CAP"] });
await act("/counts/cnt_2", "Record", { "counted.0": 90 });
await act("/counts/cnt_2", "Post");
check("a count is posted", (await api("GET", "/v1/counts/cnt_2")).status === "posted");

console.log("a subscription");
const heard = [];
const endpoint = createServer((request, response) => { request.resume(); request.on("end", () => { heard.push(request.headers["webhook-id"]); response.statusCode = heard.length === 1 ? 500 : 204; response.end("no"); }); });
await new Promise((resolve) => endpoint.listen(0, "127.0.0.1", resolve));
await api("POST", "/v1/subscriptions", { name: "ERP", kind: "webhook", filter: { types: ["item.*"] }, webhook: { url: `http://127.0.0.1:${endpoint.address().port}/` } });
await page.goto(base + "/subscriptions/sub_1");
await page.click('.head .row a.button:text-is("Test")');
await page.waitForSelector("dialog[open]");
await page.click("dialog .row button:not(.preview)");
await page.waitForSelector("dialog [role=alert]");
check("a test that fails says how", (await page.textContent("dialog [role=alert]")).includes("500"));
await act("/subscriptions/sub_1", "Test");
check("one that is answered says so", (await page.textContent("#note")).includes("204"));
await api("POST", "/v1/items", { sku: "NEW", name: "New" });
await page.waitForSelector("text=answered 204");
check("calls show on the page by themselves", heard.length >= 3);
await act("/subscriptions/sub_1", "Pause");
await act("/subscriptions/sub_1", "Rewind", { to: "beginning" });
await act("/subscriptions/sub_1", "Resume");
check("it is active again", (await api("GET", "/v1/subscriptions/sub_1")).status === "active");
endpoint.close();

console.log("refusals");
const { secret: watcher } = await api("POST", "/v1/keys", { name: "watcher", role: "read_only" }).then((made) => ({ secret: made.secret || made.key }));
const plain = await signIn(watcher);
await plain.goto(base + `/orders/${short.id}`);
check("a read-only key is offered nothing", (await plain.locator(".head .row a.button").count()) === 0);
const refused = await plain.goto(base + `/orders/${short.id}/cancel`);
check("and is refused, in words", refused.status() === 403 && (await plain.textContent("main")).includes("read-only"));
const csrf = await plain.evaluate(() => document.querySelector("input[name=csrf]").value);
const post = (tab, path, fields) => tab.evaluate(async ([path, fields]) => (await fetch(path, { method: "POST", body: new URLSearchParams(fields) })).status, [path, fields]);
check("also when it sends the form itself", (await post(plain, `/orders/${short.id}/cancel`, { csrf, reason: "x" })) === 403);
check("a form without our token is refused", (await post(page, `/orders/${short.id}/hold`, { reason: "x" })) === 403);
check("and one with another's", (await post(page, `/orders/${short.id}/hold`, { csrf, reason: "x" })) === 403);
const foreign = await fetch(base + "/sign-in", { method: "POST", headers: { origin: "http://evil.example", "sec-fetch-site": "cross-site", "content-type": "application/x-www-form-urlencoded" }, body: "key=" + key, redirect: "manual" });
check("nobody is signed in from elsewhere", foreign.status === 403 && !foreign.headers.get("set-cookie"));
await plain.click("form[action='/sign-out'] button");
await plain.waitForURL(/sign-in/);
check("who signs out is out", (await plain.goto(base + "/orders")).url().includes("/sign-in"));
await browser.close();
await server.stop();
process.exit(0);
