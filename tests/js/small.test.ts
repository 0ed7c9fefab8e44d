import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { readBoot } from "../../static/js/boot.ts";
import { uuid } from "../../static/js/browser.ts";
import { describeAgent } from "../../static/js/user_agent.ts";
import { bootFacts } from "./boot_facts.ts";

describe("boot facts", () => {
  const page = (text: string | null) => ({ getElementById: (id: string) => (id === "boot" ? { textContent: text } : null) }) as never;
  it("are read from the shell", () => assert.deepEqual(readBoot(page(JSON.stringify(bootFacts()))), bootFacts()));
  it("may hold what is hostile to scripts", () => {
    const facts = bootFacts({ version: "</script>\u2028\u{1f600}'\"" });
    assert.deepEqual(readBoot(page(JSON.stringify(facts).replaceAll("<", "\\u003c"))), facts);
  });
  it("are needed", () => assert.throws(() => readBoot(page(null)), /no boot facts/));
});

it("a UUID is one of version 4, and another each time", () => {
  const made = new Set(Array.from({ length: 100 }, uuid));
  assert.equal(made.size, 100);
  for (const one of made) assert.match(one, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

describe("a browser's name", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"],
    ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", "Chrome on Linux"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Safari/605.1.15", "Safari on macOS"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1", "Safari on iOS"],
    ["Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0", "Firefox on Android"],
    ["curl/8.5.0", "curl"],
    ["Something (Windows)", "A program on Windows"],
    ["", "Unknown browser"],
  ];
  for (const [text, expected] of cases) it(expected, () => assert.equal(describeAgent(text), expected));
});
