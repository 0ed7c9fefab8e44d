/**
 * The one file that knows uPlot; loaded only when a chart is on the page. Draws daily lines on a shared x axis and tells
 * which day the pointer is on. Colours are custom properties, read anew when the theme changes.
 */

import uPlot from "uplot";

import { compact, shortDay } from "./format.ts";
import { dayTicks, valueTicks } from "./ticks.ts";

export interface Line {
  readonly values: readonly (number | null)[];
  /** Custom property that holds the colour, `--chart-1`. */
  readonly colour: string;
  readonly kind: "main" | "comparison";
}

export interface PlotData {
  readonly days: readonly string[];
  readonly lines: readonly Line[];
}

export interface Plot {
  resize(width: number, height: number): void;
  select(index: number | null): void;
  destroy(): void;
}

/** Draws `data` into `host`; `onSelect` gets the index of the day under the pointer, or null when it leaves. */
export function mount(
  host: HTMLElement,
  data: PlotData,
  size: { width: number; height: number },
  onSelect: (index: number | null) => void,
): Plot {
  const ticks = valueTicks(highest(data), Math.max(2, Math.floor(size.height / 48)));
  const plot = new uPlot(options(host, data, ticks, size, onSelect), aligned(data), host);
  return {
    resize: (width, height) => plot.setSize({ width, height }),
    select: (index) => placeCursor(plot, index),
    destroy: () => plot.destroy(),
  };
}

function options(
  host: HTMLElement,
  data: PlotData,
  ticks: readonly number[],
  size: { width: number; height: number },
  onSelect: (index: number | null) => void,
): uPlot.Options {
  const colour = (name: string) => getComputedStyle(host).getPropertyValue(name).trim();
  const last = Math.max(0, data.days.length - 1);
  const font = `11px ${getComputedStyle(host).fontFamily}`;
  return {
    ...size,
    legend: { show: false },
    padding: [10, 24, 0, 0],
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 8, width: 2 },
    },
    scales: {
      // A single day stands in the middle instead of on the edge.
      x: { time: false, range: last === 0 ? [-1, 1] : [0, last] },
      y: { range: [0, ticks.at(-1) ?? 1] },
    },
    axes: [
      {
        stroke: colour("--chart-text"), font, size: 28, gap: 6,
        grid: { show: false }, ticks: { show: false },
        splits: (plot) => dayTicks(data.days, plot.bbox.width / devicePixelRatio),
        values: (_plot, splits) => splits.map((index) => shortDay(data.days[index] ?? "")),
      },
      {
        stroke: colour("--chart-text"), font, gap: 8,
        size: (_plot, labels) => 16 + 7 * Math.max(1, ...(labels ?? []).map((label) => label.length)),
        grid: { stroke: colour("--chart-grid"), width: 1 }, ticks: { show: false },
        splits: () => [...ticks],
        values: (_plot, splits) => splits.map((value) => compact(value)),
      },
    ],
    series: [{}, ...data.lines.map((line) => series(line, colour, data.days.length))],
    hooks: {
      setCursor: [(plot) => onSelect(plot.cursor.idx ?? null)],
    },
  };
}

function series(line: Line, colour: (name: string) => string, days: number): uPlot.Series {
  const stroke = colour(line.colour);
  const few = days <= 3;
  if (line.kind === "comparison") {
    return { stroke, width: 1.5, dash: [4, 4], points: { show: few, size: 6, stroke, fill: stroke } };
  }
  return {
    stroke, width: 2, fill: colour(`${line.colour}-fill`),
    points: { show: few, size: 8, stroke, fill: stroke },
  };
}

function aligned(data: PlotData): uPlot.AlignedData {
  return [data.days.map((_day, index) => index), ...data.lines.map((line) => [...line.values])];
}

function highest(data: PlotData): number {
  return Math.max(0, ...data.lines.flatMap((line) => line.values.map((value) => value ?? 0)));
}

function placeCursor(plot: uPlot, index: number | null): void {
  if (index === null) {
    plot.setCursor({ left: -10, top: -10 }, false);
    return;
  }
  plot.setCursor({ left: plot.valToPos(index, "x"), top: plot.over.clientHeight / 2 }, false);
}
