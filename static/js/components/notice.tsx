import type { ComponentChildren } from "preact";

import type { Tone } from "./badge.tsx";
import { Icon, type IconName } from "./icon.tsx";

const ICONS: Record<Tone, IconName> = {
  neutral: "info",
  accent: "info",
  success: "check",
  warning: "warning",
  danger: "warning",
};

interface NoticeProps {
  tone?: Tone;
  title?: string;
  /** Announced at once by screen readers; for what has just happened, not for standing explanations. */
  alert?: boolean;
  children?: ComponentChildren;
}

export function Notice({ tone = "neutral", title, alert, children }: NoticeProps) {
  return (
    <div class={`notice notice-${tone}`} role={alert ? "alert" : undefined}>
      <Icon name={ICONS[tone]} />
      <div>
        {title && <p class="notice-title">{title}</p>}
        {children}
      </div>
    </div>
  );
}
