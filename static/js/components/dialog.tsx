import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Button } from "./button.tsx";
import { Notice } from "./notice.tsx";

interface DialogProps {
  open: boolean;
  title: string;
  onClose(): void;
  /** For what is read rather than answered. */
  wide?: boolean;
  children: ComponentChildren;
}

/** The browser's own modal dialog: it keeps the focus inside and gives it back. */
export function Dialog({ open, title, onClose, wide, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (open && !element.current?.open) {
      element.current?.showModal();
      element.current?.querySelector<HTMLElement>("[data-autofocus]")?.focus();
    }
    if (!open && element.current?.open) element.current.close();
  }, [open]);
  return (
    <dialog
      ref={element}
      class={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={id}
      onClose={onClose}
      onClick={(event) => event.target === element.current && onClose()}
    >
      <div class="dialog-body">
        <h2 id={id}>{title}</h2>
        {open && children}
      </div>
    </dialog>
  );
}

interface ConfirmProps {
  open: boolean;
  title: string;
  /** What the button does, as a verb: "Delete team". */
  action: string;
  danger?: boolean;
  onConfirm(): Promise<void>;
  onClose(): void;
  children: ComponentChildren;
}

/** Asks before something that cannot be undone; stays open and says why when it failed. */
export function ConfirmDialog({ open, title, action, danger, onConfirm, onClose, children }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  async function confirm() {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onClose();
    } catch (reason) {
      setError(reason instanceof ApiError ? reason.message : "That did not work. Try again.");
    } finally {
      setBusy(false);
    }
  }

  return (
    <Dialog open={open} title={title} onClose={onClose}>
      {children}
      {error && (
        <Notice tone="danger" alert>
          <p>{error}</p>
        </Notice>
      )}
      <div class="actions actions-end">
        <Button onClick={onClose}>Cancel</Button>
        <Button kind={danger ? "danger" : "primary"} busy={busy} onClick={confirm}>
          {action}
        </Button>
      </div>
    </Dialog>
  );
}
