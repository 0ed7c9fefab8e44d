import assert from "node:assert/strict";
import { it } from "node:test";

import { createScroller } from "../../static/js/scroll.ts";

function fakePage() {
  const page = {
    scrollX: 0,
    scrollY: 0,
    revealed: [] as string[],
    scrollTo(x: number, y: number) {
      [page.scrollX, page.scrollY] = [x, y];
    },
    history: {
      state: { key: "a" } as unknown,
      scrollRestoration: "auto" as ScrollRestoration,
      replaceState(state: unknown) {
        page.history.state = state;
      },
    },
    document: {
      getElementById: (id: string) => (id === "end ü" ? { scrollIntoView: () => void page.revealed.push(id), focus: () => void page.revealed.push("focus") } : null),
    },
  };
  return page;
}

it("takes the restoring over from the browser", () => {
  const page = fakePage();
  createScroller(page);
  assert.equal(page.history.scrollRestoration, "manual");
});

it("puts an entry back to where it was", () => {
  const page = fakePage();
  const scroller = createScroller(page);
  page.scrollTo(3, 700);
  scroller.save("a");
  page.scrollTo(0, 0);
  scroller.restore("a", "");
  assert.deepEqual([page.scrollX, page.scrollY], [3, 700]);
});

it("keeps the position in the entry, for a reload", () => {
  const page = fakePage();
  page.scrollTo(0, 700);
  createScroller(page).save("a");
  assert.deepEqual(page.history.state, { key: "a", scroll: { x: 0, y: 700 } });
  page.scrollTo(0, 0);
  createScroller(page).restore("a", "");
  assert.equal(page.scrollY, 700);
});

it("never writes one entry's position into another", () => {
  const page = fakePage();
  const scroller = createScroller(page);
  page.scrollTo(0, 700);
  scroller.save("gone");
  assert.deepEqual(page.history.state, { key: "a" });
});

it("an entry not seen before starts at its hash, else at the top", () => {
  const page = fakePage();
  const scroller = createScroller(page);
  page.scrollTo(0, 50);
  scroller.restore("new", "#end%20%C3%BC");
  assert.deepEqual([page.revealed, page.scrollY], [["end ü", "focus"], 50]);
  scroller.restore("new", "#nowhere");
  assert.equal(page.scrollY, 0);
});

it("a hash that cannot be decoded is taken as it is", () => {
  const page = fakePage();
  page.scrollTo(0, 50);
  createScroller(page).to("#%");
  assert.equal(page.scrollY, 0);
});
