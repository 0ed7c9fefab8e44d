import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface MenuProps {
  /** What the button shows. */
  button: ComponentChildren;
  /** The button's accessible name, when what it shows is not one. */
  label?: string;
  /** Which edge of the button the panel keeps to. */
  align?: "start" | "end";
  onOpen?(): void;
  children: ComponentChildren;
}

/** A button that discloses a panel of links and buttons. Closes on choice, Escape, and when the focus goes elsewhere. */
export function Menu({ button, label, align = "start", onOpen, children }: MenuProps) {
  const [open, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const toggle = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const outside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      setOpen(false);
      toggle.current?.focus();
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    document.addEventListener("keydown", escape);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
      document.removeEventListener("keydown", escape);
    };
  }, [open]);

  function press(): void {
    if (!open) onOpen?.();
    setOpen(!open);
  }

  function chosen(event: MouseEvent): void {
    const target = event.target as Element;
    if (target.closest("a, button:not([aria-pressed])")) setOpen(false);
  }

  return (
    <div class="menu" ref={box}>
      <button ref={toggle} type="button" class="menu-button" aria-expanded={open ? "true" : "false"} aria-label={label} onClick={press}>
        {button}
      </button>
      {open && (
        <div class={`menu-panel menu-${align}`} onClick={chosen}>
          {children}
        </div>
      )}
    </div>
  );
}
