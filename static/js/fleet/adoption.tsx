/** Versions over time as stacked bands; arrow keys walk the days and say each one. */

import { useMemo, useRef, useState } from "preact/hooks";

import type { Column } from "../charts/csv.ts";
import { Figure } from "../charts/figure.tsx";
import { compact, count, day, percent, shortDay } from "../charts/format.ts";
import { dayTicks, valueTicks } from "../charts/ticks.ts";
import { adoptionBands, stack, type Bands } from "./shaping.ts";
import type { FleetNumbers } from "./shapes.ts";

const HEIGHT = 240;
const STEP = 10;
/** Wide enough for the most labels a desk shows; on phones every other one is hidden by the style sheet. */
const LABELS_WIDTH = 640;

interface Row {
  readonly key: string;
  readonly day: string;
  readonly version: string;
  readonly n: number;
  readonly share: number;
}

const COLUMNS: Column<Row>[] = [
  { key: "day", label: "Day", raw: (row) => row.day, show: (row) => day(row.day) },
  { key: "version", label: "Version", raw: (row) => row.version },
  { key: "n", label: "Installations", align: "end", bar: true, raw: (row) => row.n, show: (row) => count(row.n) },
  { key: "share", label: "Share", align: "end", raw: (row) => row.share, show: (row) => percent(row.share) },
];

export function Adoption({ numbers }: { numbers: FleetNumbers }) {
  const [share, setShare] = useState(true);
  const first = numbers.series.points[0]?.day ?? numbers.last_day;
  const bands = useMemo(() => adoptionBands(numbers.adoption.points, first, numbers.last_day), [numbers, first]);
  const rows = useMemo(() => tableRows(bands), [bands]);
  return (
    <Figure
      title="Versions in use"
      definition={numbers.adoption.definition}
      file={`fleet_versions_${numbers.last_day}`}
      columns={COLUMNS}
      rows={rows}
      rowKey={(row) => row.key}
      controls={
        <div class="segmented segmented-small" role="group" aria-label="Measure">
          <button type="button" aria-pressed={share} onClick={() => setShare(true)}>Share</button>
          <button type="button" aria-pressed={!share} onClick={() => setShare(false)}>Installations</button>
        </div>
      }
    >
      {bands.days.length > 1 ? <Stacked bands={bands} share={share} hides={numbers.smallest !== undefined} /> : <p class="figure-alone">One day only: the table names its versions.</p>}
    </Figure>
  );
}

/** `hides`: where small numbers are not shown, none may be a few that stand among the others. */
function Stacked({ bands, share, hides }: { bands: Bands; share: boolean; hides: boolean }) {
  const [selected, setSelected] = useState<number | null>(null);
  const plot = useRef<HTMLDivElement>(null);
  const layers = useMemo(() => stack(bands.bands, share), [bands, share]);
  const highest = share ? 1 : Math.max(0, ...(layers.at(-1) ?? []).map((edge) => edge.high));
  const ticks = share ? [0, 0.25, 0.5, 0.75, 1] : valueTicks(highest, 5);
  const top = ticks.at(-1) ?? 1;
  const last = bands.days.length - 1;
  const at = selected ?? last;
  const y = (value: number) => HEIGHT - (value / top) * HEIGHT;
  const place = (event: PointerEvent) => {
    const box = plot.current?.getBoundingClientRect();
    if (box) setSelected(Math.max(0, Math.min(last, Math.round(((event.clientX - box.left) / box.width) * last))));
  };
  const move = (event: KeyboardEvent) => {
    const next = { ArrowLeft: Math.max(0, at - 1), ArrowRight: Math.min(last, at + 1), Home: 0, End: last }[event.key];
    if (event.key === "Escape") setSelected(null);
    if (next === undefined) return;
    event.preventDefault();
    setSelected(next);
  };
  return (
    <div class="stacked">
      <Legend bands={bands} at={at} selected={selected !== null} hides={hides} />
      <div class="stacked-frame">
        <div class="stacked-scale" aria-hidden="true">
          {ticks.map((tick) => (
            <span key={tick} style={{ insetBlockEnd: `${(tick / top) * 100}%` }}>{share ? percent(tick) : compact(tick)}</span>
          ))}
        </div>
        <div
          ref={plot}
          class="stacked-plot"
          role="slider"
          tabIndex={0}
          aria-label="Versions in use by day. Arrow keys walk the days."
          aria-valuemin={0}
          aria-valuemax={last}
          aria-valuenow={at}
          aria-valuetext={sentence(bands, at, hides)}
          onPointerMove={place}
          onPointerLeave={() => setSelected(null)}
          onKeyDown={move}
          onBlur={() => setSelected(null)}
        >
          <svg viewBox={`0 0 ${last * STEP} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
            {ticks.map((tick) => <line key={tick} class="stacked-grid" x1={0} x2={last * STEP} y1={y(tick)} y2={y(tick)} />)}
            {layers.map((edges, index) => (
              <polygon
                key={bands.bands[index]?.version}
                class={bandClass(index, bands.bands.length)}
                points={[
                  ...edges.map((edge, step) => `${step * STEP},${y(edge.high).toFixed(2)}`),
                  ...edges.map((edge, step) => `${step * STEP},${y(edge.low).toFixed(2)}`).reverse(),
                ].join(" ")}
              />
            ))}
            {selected !== null && <line class="stacked-cursor" x1={at * STEP} x2={at * STEP} y1={0} y2={HEIGHT} />}
          </svg>
        </div>
        <div class="stacked-days" aria-hidden="true">
          {dayTicks(bands.days, LABELS_WIDTH).map((index) => (
            <span key={index} style={{ insetInlineStart: `${(index / last) * 100}%` }}>{shortDay(bands.days[index] ?? "")}</span>
          ))}
        </div>
      </div>
    </div>
  );
}

/** The newest version first, as it lies on top. */
function Legend({ bands, at, selected, hides }: { bands: Bands; at: number; selected: boolean; hides: boolean }) {
  const sum = bands.bands.reduce((total, band) => total + (band.values[at] ?? 0), 0);
  const part = (value: number) => (sum === 0 || (hides && value === 0) ? null : value / sum);
  return (
    <p class="readout" aria-hidden="true">
      {bands.bands.map((band, index) => (
        <span key={band.version} class="readout-item">
          <span class={`band-swatch ${bandClass(index, bands.bands.length)}`} />
          {band.version}
          <b>{percent(part(band.values[at] ?? 0))}</b>
        </span>
      )).reverse()}
      <span class="readout-day">{selected ? day(bands.days[at] ?? "") : `on ${day(bands.days.at(-1) ?? "")}`}</span>
    </p>
  );
}

/** Nine tones from old (grey) to new (accent); fewer versions spread over them. */
function bandClass(index: number, bands: number): string {
  return `band-${bands < 2 ? 8 : Math.round((index / (bands - 1)) * 8)}`;
}

function sentence(bands: Bands, at: number, hides: boolean): string {
  const shown = bands.bands.filter((band) => !hides || (band.values[at] ?? 0) > 0);
  const parts = shown.map((band) => `${band.version} ${count(band.values[at])}`).reverse();
  return `${day(bands.days[at] ?? "")}: ${parts.join(", ")}`;
}

function tableRows({ days, bands }: Bands): Row[] {
  return days.flatMap((each, index) => {
    const sum = bands.reduce((total, band) => total + (band.values[index] ?? 0), 0);
    return bands
      .filter((band) => (band.values[index] ?? 0) > 0)
      .map((band) => ({ key: `${each} ${band.version}`, day: each, version: band.version, n: band.values[index] ?? 0, share: (band.values[index] ?? 0) / sum }))
      .reverse();
  }).reverse();
}
