/** Small bars drawn as SVG: a share beside a number, columns over time, a list of counts. */

import { compact, count } from "./format.ts";

/** A bar as long as `value` is of `highest`; decoration beside a number that is written out. */
export function Bar({ value, highest }: { value: number; highest: number }) {
  const share = highest > 0 ? Math.max(0, Math.min(100, (value / highest) * 100)) : 0;
  return (
    <svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">
      <rect class="bar-track" width="100" height="6" />
      <rect class="bar-value" width={share} height="6" />
    </svg>
  );
}

export interface BarItem {
  readonly label: string;
  readonly value: number;
}

/** A table of labels and counts with a bar each; `unit` heads the numbers. */
export function BarList({ items, caption, unit }: { items: readonly BarItem[]; caption: string; unit: readonly [string, string] }) {
  const highest = Math.max(0, ...items.map((item) => item.value));
  return (
    <table class="barlist">
      <caption class="visually-hidden">{caption}</caption>
      <thead>
        <tr><th scope="col">{unit[0]}</th><th scope="col" class="num" colSpan={2}>{unit[1]}</th></tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={item.label}>
            <th scope="row">{item.label}</th>
            <td class="barlist-bar"><Bar value={item.value} highest={highest} /></td>
            <td class="num">{count(item.value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export interface Column {
  readonly key: string;
  readonly value: number;
  /** Said by the tooltip and by screen readers. */
  readonly title: string;
}

interface ColumnsProps {
  readonly label: string;
  readonly columns: readonly Column[];
  /** Words below the first, middle and last column. */
  readonly ends: readonly [string, string, string];
}

const WIDTH = 10;
const GAP = 2;
const HEIGHT = 100;

/** Columns over time, newest at the right, with the highest value as the one line of the scale. */
export function Columns({ label, columns, ends }: ColumnsProps) {
  const highest = Math.max(1, ...columns.map((column) => column.value));
  const width = columns.length * WIDTH;
  return (
    <div class="columns">
      <div class="columns-top" aria-hidden="true"><span>{compact(highest)}</span></div>
      <svg class="columns-plot" viewBox={`0 0 ${width} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
        {columns.map((column, index) => {
          const tall = (column.value / highest) * (HEIGHT - 1);
          // A minute with one view among a thousand is still no empty minute.
          const height = column.value > 0 ? Math.max(3, tall) : 1;
          return (
            <g key={column.key}>
              <rect class="columns-hit" x={index * WIDTH} width={WIDTH} height={HEIGHT}><title>{column.title}</title></rect>
              <rect
                class={column.value > 0 ? "columns-value" : "columns-none"}
                x={index * WIDTH + GAP / 2}
                y={HEIGHT - height}
                width={WIDTH - GAP}
                height={height}
              />
            </g>
          );
        })}
      </svg>
      <div class="columns-ends" aria-hidden="true">{ends.map((end) => <span key={end}>{end}</span>)}</div>
    </div>
  );
}
