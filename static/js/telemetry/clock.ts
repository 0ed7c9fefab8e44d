// How long a view was looked at. The clock is the page's own monotonic one; nothing here is ever negative.

/** More than this is a forgotten window, not attention. */
export const ENGAGED_CAP_MS = 30 * 60_000;
/** How often the clock is told that attention goes on. */
export const BEAT_MS = 15_000;
// A longer silence while attentive means that the machine slept.
const GAP_MS = 2 * BEAT_MS;

export interface Durations {
  /** Visible and focused. */
  readonly engaged_ms: number;
  /** From the view's begin to its end. */
  readonly total_ms: number;
}

export class EngagementClock {
  #begun = 0;
  #engaged = 0;
  /** Since when attention has not been added up; null while there is none. */
  #since: number | null = null;
  #attentive: boolean;

  constructor(attentive: boolean) {
    this.#attentive = attentive;
  }

  /** A view begins. */
  begin(at: number): void {
    this.#begun = at;
    this.#engaged = 0;
    this.#since = this.#attentive ? at : null;
  }

  /** Attention comes or goes. */
  attend(attentive: boolean, at: number): void {
    this.beat(at);
    this.#attentive = attentive;
    this.#since = attentive ? at : null;
  }

  /** Attention goes on. */
  beat(at: number): void {
    if (this.#since === null) return;
    this.#engaged += Math.min(Math.max(0, at - this.#since), GAP_MS);
    this.#since = Math.max(at, this.#since);
  }

  read(at: number): Durations {
    this.beat(at);
    const total_ms = Math.max(0, Math.round(at - this.#begun));
    return { engaged_ms: Math.min(Math.round(this.#engaged), ENGAGED_CAP_MS, total_ms), total_ms };
  }
}

export interface AttentionPage {
  document: Pick<Document, "addEventListener" | "removeEventListener" | "visibilityState" | "hasFocus">;
  performance: Pick<Performance, "now">;
  addEventListener(type: "focus" | "blur", listener: () => void): void;
  removeEventListener(type: "focus" | "blur", listener: () => void): void;
  setInterval(callback: () => void, milliseconds: number): number;
  clearInterval(timer: number): void;
}

/** Keeps a clock informed about the page. Returns it with the function that stops. */
export function watchAttention(page: AttentionPage): { clock: EngagementClock; stop(): void } {
  const attentive = (): boolean => page.document.visibilityState === "visible" && page.document.hasFocus();
  const clock = new EngagementClock(attentive());
  const look = (): void => clock.attend(attentive(), page.performance.now());
  const timer = page.setInterval(() => clock.beat(page.performance.now()), BEAT_MS);
  page.document.addEventListener("visibilitychange", look);
  page.addEventListener("focus", look);
  page.addEventListener("blur", look);
  return {
    clock,
    stop() {
      page.clearInterval(timer);
      page.document.removeEventListener("visibilitychange", look);
      page.removeEventListener("focus", look);
      page.removeEventListener("blur", look);
    },
  };
}
