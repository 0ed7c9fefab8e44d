/** What the closed sets of the telemetry engine mean to a reader. Unknown words are shown as they are, never hidden. */

const REASONS: Readonly<Record<string, string>> = {
  switched_on: "Switched on.",
  switched_off: "Switched off.",
  sending_disabled: "Nothing leaves this platform.",
  setup_unfinished: "Waits until the set-up is finished.",
  setting_unreadable: "The stored setting is neither on nor off, so it counts as off.",
  no_key: "No PostHog project key is configured.",
  personal_key: "The configured key is a personal one (phx_); the project key (phc_) is needed.",
  no_domain: "No Plausible domain is configured.",
};

const LAYERS: Readonly<Record<string, string>> = {
  environment: "Environment",
  file: "flowforge.yml",
  setup: "Set-up",
  admin: "Admin Settings",
  default: "Built-in default",
};

const PHRASES: Readonly<Record<string, string>> = {
  environment: "the environment",
  setup: "the set-up",
  default: "the built-in default",
};

export function reasonWords(reason: string): string {
  return REASONS[reason] ?? `${humanise(reason)}.`;
}

export function layerWords(layer: string): string {
  return LAYERS[layer] ?? humanise(layer);
}

/** The layer inside a sentence: "Decided by the built-in default." */
export function layerPhrase(layer: string): string {
  return PHRASES[layer] ?? layerWords(layer);
}

/** What a layer says: on, off, or nothing. */
export function layerValue(value: string | boolean | null): string {
  if (value === true || value === "on") return "on";
  if (value === false || value === "off") return "off";
  return value === null || value === "" ? "says nothing" : value;
}

/** "identity_unproven" -> "Identity unproven". */
export function humanise(word: string): string {
  const text = word.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
