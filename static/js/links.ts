// Clicks on links become visits; hovering, focusing or touching one fetches ahead.

export interface LinksOptions {
  document: Pick<Document, "addEventListener">;
  origin: string;
  /** Is there a view of ours at this address? Others (downloads of the API) are the browser's. */
  knows(url: URL): boolean;
  navigate(to: string): void;
  prefetch(url: URL): void;
  /** Calls back later; returns the function that calls it off. */
  later(callback: () => void, milliseconds: number): () => void;
}

const HOVER_MS = 65;

export function followLinks(options: LinksOptions): void {
  const { document: page } = options;
  let callOff = (): void => undefined;

  function ours(link: HTMLAnchorElement | null): URL | null {
    if (!link || link.hasAttribute("download") || (link.target && link.target !== "_self")) return null;
    if (/\bexternal\b/.test(link.rel)) return null;
    const url = new URL(link.href);
    return url.origin === options.origin && options.knows(url) ? url : null;
  }

  page.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0) return;
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = ours(linkOf(event));
    if (!url) return;
    event.preventDefault();
    options.navigate(url.href);
  });

  page.addEventListener("mouseover", (event) => {
    callOff();
    const url = ours(linkOf(event));
    if (url) callOff = options.later(() => options.prefetch(url), HOVER_MS);
  });

  for (const type of ["focusin", "touchstart"] as const) {
    page.addEventListener(
      type,
      (event) => {
        const url = ours(linkOf(event));
        if (url) options.prefetch(url);
      },
      { passive: true },
    );
  }
}

function linkOf(event: Event): HTMLAnchorElement | null {
  const target = event.target as Partial<Element> | null;
  return target?.closest?.<HTMLAnchorElement>("a[href]") ?? null;
}
