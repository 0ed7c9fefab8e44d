import { useEffect, useState } from "preact/hooks";

import type { ToastKind } from "../page.ts";
import { Icon } from "./icon.tsx";

interface Toast {
  id: number;
  message: string;
  kind: ToastKind;
}

const SHOWN_MS = 6000;
const MOST = 3;

let toasts: readonly Toast[] = [];
let last = 0;
const watchers = new Set<(toasts: readonly Toast[]) => void>();

function put(next: readonly Toast[]): void {
  toasts = next;
  for (const watcher of watchers) watcher(next);
}

function dismiss(id: number): void {
  put(toasts.filter((one) => one.id !== id));
}

/** Shows a message for a moment; errors stay until they are dismissed. */
export function toast(message: string, kind: ToastKind = "info"): void {
  const id = (last += 1);
  put([...toasts, { id, message, kind }].slice(-MOST));
  if (kind !== "error") setTimeout(() => dismiss(id), SHOWN_MS);
}

/** Where toasts appear; stands on the page from the start, so that screen readers know the region. */
export function Toaster() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    watchers.add(setShown);
    return () => void watchers.delete(setShown);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.map(({ id, message, kind }) => (
        <div key={id} class={`toast toast-${kind}`}>
          <Icon name={kind === "success" ? "check" : kind === "error" ? "warning" : "info"} />
          <p>{message}</p>
          <button type="button" class="toast-close" aria-label="Dismiss" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
