import { useState } from "preact/hooks";

import { chooseTheme, readTheme, type Theme } from "../theme.ts";
import { Icon, type IconName } from "./icon.tsx";
import { Menu } from "./menu.tsx";

const CHOICES: readonly (readonly [Theme, string, IconName])[] = [
  ["system", "System", "screen"],
  ["light", "Light", "sun"],
  ["dark", "Dark", "moon"],
];

export function ThemeSwitch() {
  const [theme, setTheme] = useState(readTheme);
  const icon = CHOICES.find(([value]) => value === theme)?.[2] ?? "screen";

  function choose(next: Theme): void {
    chooseTheme(next);
    setTheme(next);
  }

  return (
    <Menu button={<Icon name={icon} />} label="Theme" align="end">
      {CHOICES.map(([value, label, name]) => (
        <button key={value} type="button" class="menu-item" aria-pressed={value === theme ? "true" : "false"} onClick={() => choose(value)}>
          <Icon name={name} />
          {label}
        </button>
      ))}
    </Menu>
  );
}
