import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Icon, type IconName } from "./icon.tsx";

export type ButtonKind = "primary" | "default" | "quiet" | "danger";

interface Look {
  kind?: ButtonKind;
  size?: "small" | "normal";
  icon?: IconName;
  children?: ComponentChildren;
}

interface ButtonProps extends Look {
  type?: "button" | "submit";
  disabled?: boolean;
  /** Work is under way: the button keeps its size and focus, and does nothing. */
  busy?: boolean;
  /** The accessible name of a button without text. */
  label?: string;
  onClick?(event: MouseEvent): void;
}

function look({ kind = "default", size = "normal" }: Look): string {
  return `button button-${kind}${size === "small" ? " button-small" : ""}`;
}

export function Button({ type = "button", disabled, busy, label, onClick, ...rest }: ButtonProps) {
  return (
    <button
      type={type}
      class={look(rest) + (rest.children ? "" : " button-icon")}
      disabled={disabled}
      aria-busy={busy ? "true" : undefined}
      aria-disabled={busy ? "true" : undefined}
      aria-label={label}
      title={rest.children ? undefined : label}
      onClick={(event) => (busy ? event.preventDefault() : onClick?.(event))}
    >
      {rest.icon && <Icon name={rest.icon} />}
      {rest.children}
    </button>
  );
}

interface LinkButtonProps extends Look {
  href: string;
  /** Makes the link a download; the router leaves it alone. */
  download?: boolean | string;
}

export function LinkButton({ href, download, ...rest }: LinkButtonProps) {
  return (
    <a class={look(rest)} href={href} download={download}>
      {rest.icon && <Icon name={rest.icon} />}
      {rest.children}
    </a>
  );
}

/** Copies `text`; says so for a moment. Without clipboard access (plain http) the text is selected instead. */
export function CopyButton({ text, label = "Copy" }: { text: string; label?: string }) {
  const [copied, setCopied] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);

  async function copy() {
    if (!(await writeClipboard(text))) return;
    setCopied(true);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setCopied(false), 2000);
  }

  return (
    <Button kind="quiet" size="small" icon={copied ? "check" : "copy"} onClick={copy}>
      <span aria-live="polite">{copied ? "Copied" : label}</span>
    </Button>
  );
}

async function writeClipboard(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "visually-hidden";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
