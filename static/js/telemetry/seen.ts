// Has anybody seen the page? A prerendered page and a tab opened in the background have not been visited yet.

export type SeenPage = Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener"> & {
  readonly prerendering?: boolean;
};

const CHANGES = ["prerenderingchange", "visibilitychange"] as const;

export function isSeen(page: SeenPage): boolean {
  return page.prerendering !== true && page.visibilityState === "visible";
}

/** When a page was first seen, on its own clock; null when nobody has seen it yet, 0 where the browser does not tell. */
export function firstSeen({ performance, document }: Pick<Window, "performance" | "document">): number | null {
  const states = performance.getEntriesByType("visibility-state");
  const visible = states.find(({ name }) => name === "visible");
  if (!visible && !isSeen(document)) return null;
  return Math.max(visible?.startTime ?? 0, activationOf(performance));
}

/** When a page that was prerendered came to be shown; 0 for others. */
export function activationOf(performance: Pick<Performance, "getEntriesByType">): number {
  const [navigation] = performance.getEntriesByType("navigation") as { activationStart?: number }[];
  return navigation?.activationStart ?? 0;
}

/** Calls back once, at once when the page is already seen. Returns the function that calls it off. */
export function whenSeen(page: SeenPage, callback: () => void): () => void {
  const stop = (): void => {
    for (const change of CHANGES) page.removeEventListener(change, look);
  };
  function look(): void {
    if (!isSeen(page)) return;
    stop();
    callback();
  }
  if (isSeen(page)) callback();
  else for (const change of CHANGES) page.addEventListener(change, look);
  return stop;
}
