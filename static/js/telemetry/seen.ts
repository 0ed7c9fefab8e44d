// Has anybody seen the page? A prerendered page and a tab opened in the background have not been visited yet.

export type SeenPage = Pick<Document, "visibilityState" | "addEventListener" | "removeEventListener"> & {
  readonly prerendering?: boolean;
};

const CHANGES = ["prerenderingchange", "visibilitychange"] as const;

export function isSeen(page: SeenPage): boolean {
  return page.prerendering !== true && page.visibilityState === "visible";
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
