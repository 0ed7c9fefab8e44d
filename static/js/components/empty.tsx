import type { ComponentChildren } from "preact";

import { Icon, type IconName } from "./icon.tsx";

interface EmptyStateProps {
  title: string;
  icon?: IconName;
  /** What to do next, in a sentence or two. */
  children?: ComponentChildren;
  action?: ComponentChildren;
}

export function EmptyState({ title, icon = "info", children, action }: EmptyStateProps) {
  return (
    <div class="empty">
      <span class="empty-icon">
        <Icon name={icon} />
      </span>
      <p class="empty-title">{title}</p>
      {children && <div class="empty-text">{children}</div>}
      {action && <div class="actions">{action}</div>}
    </div>
  );
}
