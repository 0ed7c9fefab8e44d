// Where each history entry was scrolled to: kept in memory by the entry's key, and in the entry itself for a reload.

import type { Scroller } from "./visit.ts";

interface Position {
  x: number;
  y: number;
}

export interface ScrollWindow {
  readonly scrollX: number;
  readonly scrollY: number;
  scrollTo(x: number, y: number): void;
  history: Pick<History, "replaceState" | "state"> & { scrollRestoration: ScrollRestoration };
  document: { getElementById(id: string): { scrollIntoView(): void; focus(options: FocusOptions): void } | null };
}

export function createScroller(page: ScrollWindow): Scroller {
  const positions = new Map<string, Position>();
  page.history.scrollRestoration = "manual";

  function entry(): { key?: unknown; scroll?: Position } | null {
    return page.history.state as { key?: unknown; scroll?: Position } | null;
  }

  function to(hash: string): void {
    const target = hash.length > 1 ? page.document.getElementById(decode(hash.slice(1))) : null;
    if (!target) return page.scrollTo(0, 0);
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  return {
    save(key) {
      const position = { x: page.scrollX, y: page.scrollY };
      positions.set(key, position);
      // After a pop the browser's present entry is already the next one.
      const state = entry();
      if (state?.key === key) page.history.replaceState({ ...state, scroll: position }, "");
    },
    restore(key, hash) {
      const state = entry();
      const position = positions.get(key) ?? (state?.key === key ? state.scroll : undefined);
      if (position) page.scrollTo(position.x, position.y);
      else to(hash);
    },
    to,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
