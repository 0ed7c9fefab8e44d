import type { ComponentChildren } from "preact";

interface StatTileProps {
  label: string;
  /** Formatted for reading; the unit is said once, in `unit`. */
  value: string;
  unit?: string;
  /** Change against the comparison, formatted (`+12 %`); `better` colours it. */
  change?: string;
  better?: boolean | null;
  /** What the number counts. */
  definition?: string;
  /** A sparkline or other small drawing. */
  children?: ComponentChildren;
}

export function StatTile({ label, value, unit, change, better, definition, children }: StatTileProps) {
  const tone = better === undefined || better === null ? "neutral" : better ? "success" : "danger";
  return (
    <div class="tile">
      <dt class="tile-label" title={definition}>
        {label}
      </dt>
      <dd class="tile-value">
        {value}
        {unit && <span class="tile-unit">{unit}</span>}
      </dd>
      {change !== undefined && <dd class={`tile-change tone-${tone}`}>{change}</dd>}
      {children}
    </div>
  );
}

/** A row of tiles. */
export function StatTiles({ children }: { children: ComponentChildren }) {
  return <dl class="tiles">{children}</dl>;
}
