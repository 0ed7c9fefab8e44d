import assert from "node:assert/strict";
import { test } from "node:test";

import type { Boot } from "../../static/js/boot.ts";
import { mayRun, refusal, type Learned, type Signals } from "../../static/js/telemetry/consent.ts";
import { bootFacts, recordedFacts, user } from "./boot_facts.ts";

const OPTED_OUT = recordedFacts({ user: user("user", true) });
const SIGNED_IN = recordedFacts({ user: user() });
const IN_SETUP = recordedFacts({ setup: { ...bootFacts().setup, finished: false } });
const PLAUSIBLE = bootFacts({
  telemetry: { posthog: null, plausible: { domain: "x.example", src: "https://y" }, respect: { gpc: true, dnt: true } },
});
const DEAF = { ...SIGNED_IN, telemetry: { ...SIGNED_IN.telemetry, respect: { gpc: false, dnt: false } } };

const CASES: [string, Boot, Signals, Learned, string | null][] = [
  ["nothing is configured", bootFacts(), {}, {}, "off"],
  ["somebody signed in", SIGNED_IN, {}, {}, null],
  ["nobody signed in", recordedFacts(), {}, {}, null],
  ["Plausible alone", PLAUSIBLE, {}, {}, null],
  ["set-up", IN_SETUP, {}, {}, "setup"],
  ["the account's choice", OPTED_OUT, {}, {}, "opted_out"],
  ["a choice made in another tab", SIGNED_IN, {}, { optedOut: true }, "opted_out"],
  ["a choice taken back in another tab", OPTED_OUT, {}, { optedOut: false }, null],
  ["after the logout of who opted out", recordedFacts(), {}, { optedOut: true }, "opted_out"],
  ["GPC", SIGNED_IN, { globalPrivacyControl: true }, {}, "gpc"],
  ["GPC off", SIGNED_IN, { globalPrivacyControl: false }, {}, null],
  ["DNT", SIGNED_IN, { doNotTrack: "1" }, {}, "dnt"],
  ["DNT of older browsers", SIGNED_IN, { doNotTrack: "yes" }, {}, "dnt"],
  ["DNT off", SIGNED_IN, { doNotTrack: "0" }, {}, null],
  ["DNT unset", SIGNED_IN, { doNotTrack: null }, {}, null],
  ["signals that are not honoured", DEAF, { globalPrivacyControl: true, doNotTrack: "1" }, {}, null],
  ["another account in another tab", SIGNED_IN, {}, { elsewhere: true }, "elsewhere"],
  ["the account's choice before another tab's", OPTED_OUT, {}, { elsewhere: true }, "opted_out"],
];

for (const [name, boot, signals, learned, expected] of CASES) {
  test(`consent: ${name}`, () => {
    assert.equal(refusal(boot, signals, learned), expected);
    if (Object.keys(learned).length === 0) assert.equal(mayRun(boot, signals), expected === null);
  });
}
