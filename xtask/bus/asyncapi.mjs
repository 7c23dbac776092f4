// Usage: node asyncapi.mjs docs/asyncapi.json events.json. The parser of the AsyncAPI project accepts the description, and another validator
// holds against it what a real server said. What it needs lies in $NODE_PATH.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(process.env.NODE_PATH + "/");
const { Parser } = require("@asyncapi/parser");
const Ajv = require("ajv"), formats = require("ajv-formats");
const [, , path, seen] = process.argv;

function check(what, fact) {
  if (!fact) { console.log(`  ✗ ${what}`); process.exit(1); }
  console.log(`  ✓ ${what}`);
}

const text = readFileSync(path, "utf8");
const { document, diagnostics } = await new Parser().parse(text);
const faults = diagnostics.filter((one) => one.severity < 2);
check(`@asyncapi/parser accepts ${path}${faults.map((one) => `\n    ${one.path.join(".")}: ${one.message}`).join("")}`, document && faults.length === 0);
const { events, served } = JSON.parse(readFileSync(seen, "utf8"));
check("the server serves the same", JSON.stringify(served) === JSON.stringify(JSON.parse(text)));
const ajv = formats(new Ajv({ strict: false, allErrors: true })), kinds = new Set();
const messages = new Map(document.channels().get("webhook").messages().all().map((message) => [message.name(), message]));
const validators = new Map();
for (const event of events) {
  if (!validators.has(event.type)) {
    if (!messages.has(event.type)) check(`there is a message ${event.type}`, false);
    const schema = messages.get(event.type).payload().json();
    validators.set(event.type, ajv.compile(schema));
  }
  const validate = validators.get(event.type);
  if (!validate(event)) check(`${JSON.stringify(event)}\n${JSON.stringify(validate.errors, null, 1)}`, false);
  kinds.add(event.type);
}
check(`${events.length} events of ${kinds.size} types are as described`, kinds.size >= 12);
// A validator that passes everything proves nothing.
const wrong = structuredClone(events.find((event) => event.type === "quartermaster.order.placed.v1"));
wrong.data.order.currency = 7;
check("a wrong payload is refused", !validators.get(wrong.type)(wrong));
