/**
 * A line chart over days. The drawing arrives lazily into a box of its final height; a slider for keyboards and screen
 * readers walks the days, and says each one in words.
 */

import { useEffect, useRef, useState } from "preact/hooks";

import { count, day } from "./format.ts";
import type { Line, Plot } from "./plot.ts";

export interface NamedLine extends Line {
  readonly label: string;
}

interface Props {
  readonly label: string;
  readonly days: readonly string[];
  readonly lines: readonly NamedLine[];
  readonly height?: number;
}

export function TimeSeries({ label, days, lines, height = 260 }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const [theme, setTheme] = useState(0);

  useEffect(() => onThemeChange(() => setTheme((value) => value + 1)), []);

  useEffect(() => {
    const box = host.current;
    if (!box) return;
    let gone = false;
    let stopResizing = () => {};
    void import("./plot.ts").then(({ mount }) => {
      if (gone) return;
      const drawing = mount(box, { days, lines }, { width: box.clientWidth, height }, setSelected);
      plot.current = drawing;
      const observer = new ResizeObserver(() => drawing.resize(box.clientWidth, height));
      observer.observe(box);
      stopResizing = () => observer.disconnect();
    });
    return () => {
      gone = true;
      stopResizing();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [days, lines, height, theme]);

  const last = days.length - 1;
  const at = selected === null ? last : Math.min(selected, last);
  const move = (event: KeyboardEvent) => {
    const next = target(event.key, at, last, selected === null);
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    plot.current?.select(next);
    setSelected(next);
  };

  return (
    <div class="timeseries">
      <Readout days={days} lines={lines} selected={selected} />
      <div
        class="timeseries-box"
        role="slider"
        tabIndex={0}
        aria-label={`${label}. Arrow keys walk the days.`}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(0, last)}
        aria-valuenow={Math.max(0, at)}
        aria-valuetext={sentence(days, lines, at)}
        onKeyDown={move}
        onBlur={() => { plot.current?.select(null); setSelected(null); }}
      >
        <div ref={host} class="timeseries-plot" style={{ height: `${height}px` }} aria-hidden="true" />
      </div>
    </div>
  );
}

function Readout({ days, lines, selected }: { days: readonly string[]; lines: readonly NamedLine[]; selected: number | null }) {
  const at = selected ?? -1;
  return (
    <p class="readout" aria-hidden="true">
      {mainFirst(lines).map((line) => (
        <span key={line.label} class="readout-item">
          <span class={`swatch swatch-${line.kind}`} />
          {line.label}
          {selected !== null && <b>{count(line.values[at])}</b>}
        </span>
      ))}
      {selected !== null && <span class="readout-day">{day(days[at] ?? "")}</span>}
    </p>
  );
}

function sentence(days: readonly string[], lines: readonly NamedLine[], at: number): string {
  const values = mainFirst(lines).map((line) => `${line.label} ${count(line.values[at])}`).join(", ");
  return `${day(days[at] ?? "")}: ${values}`;
}

/** Read, the line that matters comes first; drawn, it comes last and lies on top. */
function mainFirst(lines: readonly NamedLine[]): NamedLine[] {
  return lines.toSorted((a, b) => b.kind.localeCompare(a.kind));
}

function target(key: string, at: number, last: number, fresh: boolean): number | null | undefined {
  switch (key) {
    case "ArrowLeft": return fresh ? at : Math.max(0, at - 1);
    case "ArrowRight": return fresh ? at : Math.min(last, at + 1);
    case "Home": return 0;
    case "End": return last;
    case "Escape": return null;
    default: return undefined;
  }
}

/** Theme by preference and by switch; returns how to stop listening. */
function onThemeChange(changed: () => void): () => void {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const observer = new MutationObserver(changed);
  preference.addEventListener("change", changed);
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme", "class"] });
  return () => {
    preference.removeEventListener("change", changed);
    observer.disconnect();
  };
}
