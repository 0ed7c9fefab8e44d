import { EmptyState } from "../../components/empty.tsx";
import { When } from "../../components/when.tsx";
import type { AuditEntry } from "./shapes.ts";

/** What people did in a team, newest first. */
export function AuditList({ entries }: { entries: readonly AuditEntry[] }) {
  if (entries.length === 0) return <EmptyState title="Nothing happened yet" />;
  return (
    <ol class="list list-dense" aria-label="Audit log, newest first">
      {entries.map((entry) => (
        <li key={entry.id} class="list-row">
          <span class="list-main">
            <span class="list-title">{sentenceCase(entry.event)}</span>
            <span class="muted">{[entry.target, entry.actor].filter(Boolean).join(" · ")}</span>
          </span>
          <span class="muted list-when"><When iso={entry.at} /></span>
        </li>
      ))}
    </ol>
  );
}

function sentenceCase(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
