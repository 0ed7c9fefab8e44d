import { useEffect, useRef } from "preact/hooks";

const TYPING = "input, textarea, select, [contenteditable], [role=slider], dialog";
const SIDEWAYS: ReadonlySet<string> = new Set(["ArrowLeft", "ArrowRight"]);

/**
 * Single-key shortcuts of a view, by `KeyboardEvent.key`; silent while somebody types or holds a modifier, and the
 * sideways arrows inside a box that they scroll.
 */
export function useShortcuts(keys: Readonly<Record<string, () => void>>): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(TYPING)) return;
      const act = current.current[event.key];
      if (!act || (SIDEWAYS.has(event.key) && scrollsSideways(event.target))) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

/** Whether an arrow pressed there moves a box between it and the page. */
function scrollsSideways(target: EventTarget | null): boolean {
  for (let box = target instanceof Element ? target : null; box && box !== document.body; box = box.parentElement) {
    if (box.scrollWidth > box.clientWidth && /auto|scroll/.test(getComputedStyle(box).overflowX)) return true;
  }
  return false;
}
