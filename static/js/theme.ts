// Light or dark: the system's preference, until somebody uses the switch. Only then is something kept.

export type Theme = "system" | "light" | "dark";

const KEY = "theme";

export function readTheme(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}

export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  // Charts draw with colours read once: they listen for this.
  document.dispatchEvent(new CustomEvent("themechange"));
}

export function chooseTheme(theme: Theme): void {
  applyTheme(theme);
  try {
    if (theme === "system") localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
  } catch {
    // A browser that keeps nothing forgets the choice with the page.
  }
}
