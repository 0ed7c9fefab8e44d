// The browser as the router sees it.

import type { Environment } from "./visit.ts";

/** A random UUID, version 4; `crypto.randomUUID` is missing where the page is served by plain http. */
export function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

// A hidden tab paints nothing and calls no frame: then a timer ends the wait.
const NO_PAINT_MS = 250;

export function afterPaint(callback: () => void): void {
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    clearTimeout(timer);
    callback();
  };
  const timer = setTimeout(once, document.visibilityState === "hidden" ? 0 : NO_PAINT_MS);
  requestAnimationFrame(() => requestAnimationFrame(once));
}

export function browserEnvironment(page: Window): Environment {
  const [timing] = page.performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const type = timing?.type;
  return {
    history: page.history,
    location: page.location,
    on: (name, listener) => page.addEventListener(name, (event) => listener(event as PageTransitionEvent)),
    now: () => page.performance.now(),
    uuid,
    afterPaint,
    loadType: type === "reload" || type === "back_forward" ? type : "load",
  };
}
