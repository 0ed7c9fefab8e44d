import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { followLinks } from "../../static/js/links.ts";

interface Link {
  href: string;
  target?: string;
  rel?: string;
  download?: boolean;
}

function scene() {
  const handlers: Record<string, (event: unknown) => void> = {};
  const done: string[] = [];
  let timers: (() => void)[] = [];
  followLinks({
    document: { addEventListener: (type: string, handler: unknown) => void (handlers[type] = handler as never) } as never,
    origin: "http://x",
    knows: (url) => !url.pathname.startsWith("/api/"),
    navigate: (to) => done.push(`navigate ${to}`),
    prefetch: (url) => done.push(`prefetch ${url.pathname}`),
    later(callback) {
      timers.push(callback);
      return () => (timers = timers.filter((one) => one !== callback));
    },
  });
  function fire(type: string, link: Link | null, change: object = {}): boolean {
    let prevented = false;
    const anchor = link && {
      href: link.href, target: link.target ?? "", rel: link.rel ?? "",
      hasAttribute: (name: string) => name === "download" && link.download === true,
    };
    handlers[type]?.({
      defaultPrevented: false, button: 0, metaKey: false, ctrlKey: false, shiftKey: false, altKey: false,
      target: { closest: () => anchor }, preventDefault: () => (prevented = true), ...change,
    });
    return prevented;
  }
  const wait = () => timers.splice(0).forEach((timer) => timer());
  return { fire, done, wait };
}

describe("clicks", () => {
  it("on our links navigate", () => {
    const { fire, done } = scene();
    assert.equal(fire("click", { href: "http://x/team/a?b#c" }), true);
    assert.deepEqual(done, ["navigate http://x/team/a?b#c"]);
  });

  const others: readonly (readonly [string, Link | null, object?])[] = [
    ["on nothing", null],
    ["on another origin", { href: "http://y/team/a" }],
    ["on another scheme", { href: "mailto:bob@example.org" }],
    ["on a download", { href: "http://x/team/a", download: true }],
    ["on a link to another window", { href: "http://x/team/a", target: "_blank" }],
    ["on an external link", { href: "http://x/team/a", rel: "noopener external" }],
    ["on an address without a view", { href: "http://x/api/v1/projects/1/flows/export" }],
    ["with the middle button", { href: "http://x/" }, { button: 1 }],
    ["with Ctrl", { href: "http://x/" }, { ctrlKey: true }],
    ["with Meta", { href: "http://x/" }, { metaKey: true }],
    ["with Shift", { href: "http://x/" }, { shiftKey: true }],
    ["with Alt", { href: "http://x/" }, { altKey: true }],
    ["that somebody has handled", { href: "http://x/" }, { defaultPrevented: true }],
    ["on what is no element", null, { target: null }],
  ];
  for (const [name, link, change] of others) {
    it(`${name} are the browser's`, () => {
      const { fire, done } = scene();
      assert.equal(fire("click", link, change), false);
      assert.deepEqual(done, []);
    });
  }

  it("on a link with target _self are ours", () => assert.equal(scene().fire("click", { href: "http://x/", target: "_self" }), true));
});

describe("fetching ahead", () => {
  it("waits for a hover to last", () => {
    const { fire, done, wait } = scene();
    fire("mouseover", { href: "http://x/team/a" });
    fire("mouseover", { href: "http://x/team/b" });
    wait();
    assert.deepEqual(done, ["prefetch /team/b"]);
  });

  it("is called off when the pointer goes on", () => {
    const { fire, done, wait } = scene();
    fire("mouseover", { href: "http://x/team/a" });
    fire("mouseover", null);
    wait();
    assert.deepEqual(done, []);
  });

  for (const type of ["focusin", "touchstart"]) {
    it(`starts at once with ${type}`, () => {
      const { fire, done } = scene();
      fire(type, { href: "http://x/team/a" });
      assert.deepEqual(done, ["prefetch /team/a"]);
    });
  }
});
