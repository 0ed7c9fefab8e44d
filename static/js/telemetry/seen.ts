// Has anybody seen the page? A prerendered page and a tab opened in the background have not been visited yet.

export type SeenPage = Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener"> & {
  readonly prerendering?: boolean;
};

const CHANGES = ["prerenderingchange", "visibilitychange"] as const;

export function isSeen(page: SeenPage): boolean {
  return page.prerendering !== true && page.visibilityState === "visible";
}

/** When a page that is seen was first seen, on its own clock; 0 where the browser does not tell. */
export function firstSeen({ performance }: Pick<Window, "performance">): number {
  const [navigation] = performance.getEntriesByType("navigation") as { activationStart?: number }[];
  const states = performance.getEntriesByType("visibility-state");
  const visible = states.find(({ name }) => name === "visible")?.startTime ?? 0;
  return Math.max(visible, navigation?.activationStart ?? 0);
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
