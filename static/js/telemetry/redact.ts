// What may be said of a value. Pure.

import { eventProperties, sdkProperties, type BrowserEventName } from "../generated/events.ts";

export type Value = string | number | boolean;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
// Names of browsers, systems, languages and versions: nothing an address or a token fits into.
const WORDS = /^[\p{L}\d][\p{L}\d .+-]{0,39}$/u;

/**
 * What the plan allows of an event's properties, each checked by its type; everything else is left out. Addresses,
 * titles and referrers never pass: they are put in afterwards, made by address.ts.
 */
export function allowed(name: BrowserEventName, properties: Readonly<Record<string, unknown>>): Record<string, Value> {
  const kept: Record<string, Value> = {};
  for (const [key, type] of Object.entries(sdkProperties)) {
    const value = properties[key];
    if (fits(type, value)) kept[key] = value;
  }
  for (const key of [...eventProperties[name], "app_version", "role", "source"]) {
    const value = properties[key];
    if (isValue(value)) kept[key] = value;
  }
  return kept;
}

function fits(type: string, value: unknown): value is Value {
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "number":
    case "integer":
    case "ratio":
      return typeof value === "number" && Number.isFinite(value);
    case "uuid":
      return typeof value === "string" && UUID.test(value);
    case "enum":
    case "dotted":
    case "language":
      return typeof value === "string" && WORDS.test(value);
    default:
      return false;
  }
}

function isValue(value: unknown): value is Value {
  return typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value));
}
