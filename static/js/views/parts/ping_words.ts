/** What the core ping's closed words mean to a reader. Pure. */

import type { Tone } from "../../components/badge.tsx";
import type { FieldValue, PingRow } from "./ping_shapes.ts";

const OUTCOMES: Readonly<Record<string, readonly [string, Tone]>> = {
  sent: ["Taken", "success"],
  failed: ["Not taken", "danger"],
  waiting: ["On its way", "neutral"],
};

export function outcomeWords(outcome: string): readonly [string, Tone] {
  return OUTCOMES[outcome] ?? [outcome, "neutral"];
}

export interface Trouble {
  readonly what: string;
  /** What somebody who wants it to arrive looks at first. */
  readonly look: string;
}

const TROUBLES: Readonly<Record<string, Trouble>> = {
  unreachable: {
    what: "No connection came about: the name is unknown here, or nobody answers at that address.",
    look: "Does this server reach the outside only through a proxy? Then name it in telemetry.proxy.",
  },
  timeout: {
    what: "There was no whole answer within ten seconds.",
    look: "A firewall that drops packets in silence looks like this; so does a busy collector.",
  },
  tls: {
    what: "The collector's certificate was not accepted, so nothing was sent.",
    look: "A proxy that opens encrypted traffic has a certificate of its own, which this server must be told to trust.",
  },
  proxy: {
    what: "The proxy refused or did not answer.",
    look: "Check telemetry.proxy (or HTTPS_PROXY) and whether the proxy lets this address through.",
  },
  broken_answer: {
    what: "What came back was no HTTP answer.",
    look: "Check telemetry.url: something else may listen there.",
  },
};

/** Why a ping was not taken, in a sentence, and where to look. Unknown words are shown as they are. */
export function troubleWords(error: string): Trouble {
  const known = TROUBLES[error];
  if (known) return known;
  if (error.startsWith("redirected")) {
    return {
      what: `The collector sent the ping elsewhere (${status(error)}); redirects are not followed.`,
      look: "Write the address it leads to into telemetry.url, if you trust it.",
    };
  }
  const code = Number(status(error));
  if (code === 429 || code >= 500) {
    return { what: `The collector answered ${code}: it cannot take it right now.`, look: "That passes; nothing needs to be done here." };
  }
  if (code >= 400) {
    return { what: `The collector refused it (${code}).`, look: "Open the ping below: the collector's answer says why." };
  }
  return { what: error, look: "Open the ping below for the collector's answer." };
}

function status(error: string): string {
  return /\d{3}/.exec(error)?.[0] ?? "";
}

/** A failed newest ping; null when the newest one was taken, is on its way, or none was made. */
export function newestFailure(history: readonly PingRow[]): PingRow | null {
  const [newest] = history;
  return newest?.outcome === "failed" ? newest : null;
}

/** Text as it is sent, indented for reading; text that is no JSON as it is. */
export function indented(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

/** A value as JSON writes it. */
export function valueText(value: FieldValue): string {
  return JSON.stringify(value);
}

const KINDS: Readonly<Record<string, string>> = {
  int: "a whole number",
  bool: "true or false",
  version: "a version number",
  uuid: "a random identifier",
  period: "a date, an hour and a random word",
  sha256: "a SHA-256",
  receipt: "32 hexadecimal digits",
};

/** What a field can say at all: its closed type in words. */
export function typeWords(type: string, values: readonly string[] = []): string {
  if (type === "enum") return `one of ${[...values, "other"].join(", ")}`;
  return KINDS[type] ?? type;
}

/** "https://ping.example:8443/collector" -> "ping.example:8443". */
export function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
