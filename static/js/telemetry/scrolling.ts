// How far down a view was scrolled: 0 at the top, 1 at the end, 1 where there is nothing to scroll.

export interface ScrollBox {
  readonly scrollTop: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

/** The share of the way that is behind; null when the box does not scroll. */
export function progress(box: ScrollBox): number | null {
  const way = box.scrollHeight - box.clientHeight;
  if (way <= 1) return null;
  return Math.min(1, Math.max(0, box.scrollTop / way));
}

export interface ScrollWatch {
  begin(): void;
  /** The deepest point since `begin`, rounded to a hundredth. */
  depth(): number;
  stop(): void;
}

/** Watches whatever scrolls on the page, if it is at least half as high as the window: lists inside it are not. */
export function watchScroll(page: Pick<Window, "innerHeight" | "document">): ScrollWatch {
  const { document } = page;
  let deepest: number | null = null;

  function look(box: ScrollBox | null): void {
    const now = box && progress(box);
    if (now !== null) deepest = Math.max(deepest ?? 0, now);
  }

  function scrolled(event: Event): void {
    const box = event.target instanceof Element ? event.target : document.scrollingElement;
    if (box && box.clientHeight * 2 >= page.innerHeight) look(box);
  }

  document.addEventListener("scroll", scrolled, { capture: true, passive: true });
  return {
    begin() {
      deepest = null;
    },
    depth() {
      look(document.scrollingElement);
      return Math.round((deepest ?? 1) * 100) / 100;
    },
    stop() {
      document.removeEventListener("scroll", scrolled, { capture: true });
    },
  };
}
