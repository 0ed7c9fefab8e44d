// The collector's page: wires it, and does nothing else.

import { render } from "preact";

import { App } from "./fleet/app.tsx";
import type { View } from "./fleet/shapes.ts";
import { applyTheme, readTheme } from "./theme.ts";

applyTheme(readTheme());

const facts = JSON.parse(document.getElementById("boot")?.textContent ?? "{}") as { view?: View };
const host = document.getElementById("app");
if (host) {
  host.replaceChildren();
  render(<App view={facts.view ?? "access"} />, host);
}
