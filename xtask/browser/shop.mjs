// A shop of its own for a browser test: the real binary on a free port, a browser, and a client of the API.
// What the tests need from outside lies in $NODE_PATH; the binary is $QUARTERMASTER, the browser $CHROMIUM.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const require = createRequire(process.env.NODE_PATH + "/");
const { chromium } = require("playwright-core");
export const axe = require.resolve("axe-core/axe.min.js");
const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Starts `quartermaster` with these arguments and waits until it prints where it listens. */
export function start(args, waitMs = 60000) {
  const child = spawn(process.env.QUARTERMASTER, args, { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  let text = "";
  const ready = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the server did not start:\n" + text)), waitMs);
    child.stdout.on("data", (bytes) => {
      text += bytes;
      const base = /listens on (http:\/\/[^\s,]+)/.exec(text), link = /(http:\/\/\S+\/sign-in\/\S+)/.exec(text), key = /(qm_[A-Za-z0-9_-]{40,})/.exec(text);
      if (base && link && (key || args.includes("--no-key"))) { clearTimeout(timer); resolve({ base: base[1], link: link[1], key: key?.[1] }); }
    });
    child.on("exit", (code) => { clearTimeout(timer); reject(new Error(`the server ended with ${code}:\n${text}`)); });
  });
  const stop = () => new Promise((resolve) => {
    if (child.exitCode !== null) return resolve();
    child.on("exit", resolve);
    child.kill("SIGTERM");
    setTimeout(() => child.kill("SIGKILL"), 15000).unref();
  });
  return { child, ready, stop, text: () => text };
}

export const folder = () => {
  const path = mkdtempSync(join(tmpdir(), "quartermaster-browser-"));
  process.on("exit", () => rmSync(path, { recursive: true, force: true }));
  return path;
};

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM, args: FLAGS });

/** A client of the API that fails loudly. */
export const client = (base, key) => async (method, path, body) => {
  const response = await fetch(base + path, { method, headers: { authorization: `Bearer ${key}`, "content-type": "application/json" }, body: body && JSON.stringify(body) });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
};

/** Two locations, a supplier, three items with stock and policies. */
export async function furnish(api) {
  await api("POST", "/v1/locations", { code: "AUS", name: "Austin", address: { country: "US" }, time_zone: "America/Chicago", priority: 1 });
  await api("POST", "/v1/locations", { code: "BER", name: "Berlin", address: { country: "DE" }, time_zone: "Europe/Berlin", priority: 2 });
  await api("POST", "/v1/channels", { code: "web", name: "Web shop", on_shortage: "split" });
  await api("POST", "/v1/suppliers", { code: "ACME", name: "Acme Ltd", currency: "USD", auto: "draft", lead_time_days: 5 });
  for (const [sku, name, barcode] of [["MUG-RED", "Red mug", "4006381333931"], ["MUG-BLUE", "Blue mug", "4006381333948"], ["CAP", "Cap", "4006381333955"]]) {
    await api("POST", "/v1/items", { sku, name, barcode });
    await api("POST", "/v1/receipts", { location: "AUS", lines: [{ sku, quantity: 100 }] });
    await api("POST", "/v1/receipts", { location: "BER", lines: [{ sku, quantity: 20 }] });
    await api("PUT", "/v1/replenishment-policies", { sku, location: "AUS", supplier: "ACME", reorder_point: 20, order_up_to: 120, unit_cost: 350 });
  }
}

let placed = 0;
export const place = (api, lines, more = {}) => api("POST", "/v1/orders", {
  channel: "web", external_id: `B-${++placed}`, currency: "USD", customer: { email: "ada@example.com", name: "Ada Lovelace" },
  ship_to: { name: "Ada Lovelace", line1: "12 Square Street", city: "Austin", region: "TX", postal_code: "78701", country: "US" },
  lines: lines.map(([sku, quantity]) => ({ sku, quantity, unit_price: 1200 })), ...more,
});

export function check(what, fact) {
  if (!fact) throw new Error(what);
  console.log("  ✓ " + what);
}
