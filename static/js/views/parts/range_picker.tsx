import { useEffect, useRef, useState } from "preact/hooks";

import { dayRange } from "../../charts/format.ts";
import { addDays, PRESETS, presetOf, presetRange, rangeProblem, rangeQuery, shift, type Range } from "../../charts/range.ts";
import { Button } from "../../components/button.tsx";
import { Field } from "../../components/field.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";
import { changed, type ChangeQuery } from "./query_state.ts";
import { useShortcuts } from "./shortcuts.ts";

interface Props {
  readonly range: Range;
  readonly today: string;
  /** The rest of the address, which stays. */
  readonly query: URLSearchParams;
  readonly ctx: PageContext;
}

/** Chooses the days of a dashboard; the choice is the address. Keys: d, w, m, q and the arrows. */
export function RangePicker({ range, today, query, ctx }: Props) {
  const base = location.pathname;
  const href = (to: Range) => address(base, to, today, query);
  const go = (to: Range) => ctx.navigate(href(to), { scroll: false });
  const chosen = presetOf(range, today);
  const before = shift(range, -1, today);
  const after = shift(range, 1, today);

  useShortcuts({
    ...Object.fromEntries(PRESETS.map(({ key }) => [key, () => go(presetRange(key, today))])),
    ArrowLeft: () => go(before),
    ArrowRight: () => range.to < today && go(after),
  });

  return (
    <div class="range" role="group" aria-label="Days shown">
      <div class="segmented">
        {PRESETS.map(({ key, label }) => (
          <a
            key={key}
            href={href(presetRange(key, today))}
            aria-current={chosen === key ? "true" : undefined}
            aria-keyshortcuts={key}
            title={`${label} (${key})`}
          >
            {label}
          </a>
        ))}
      </div>
      <div class="range-days">
        <a class="button button-quiet button-small step-back" href={href(before)} aria-label="Earlier days" title="Earlier (←)">‹</a>
        <CustomRange range={range} today={today} onChoose={go} />
        {range.to < today ? (
          <a class="button button-quiet button-small" href={href(after)} aria-label="Later days" title="Later (→)">›</a>
        ) : (
          <span class="button button-quiet button-small range-end" aria-hidden="true">›</span>
        )}
      </div>
    </div>
  );
}

interface NoticeProps {
  readonly problem: string | null;
  readonly range: Range;
  readonly today: string;
  readonly change: ChangeQuery;
}

/** Why these are not the days the address has asked for; the address then says which they are. */
export function RangeNotice({ problem, range, today, change }: NoticeProps) {
  useEffect(() => {
    if (problem) change(rangeParts(range, today));
  }, [problem]);
  return problem && (
    <Notice tone="warning" title="The days in the address cannot be shown">
      <p>{problem} These are the last 28 days.</p>
    </Notice>
  );
}

function address(base: string, range: Range, today: string, query: URLSearchParams): string {
  const text = changed(query, rangeParts(range, today)).toString();
  return text ? `${base}?${text}` : base;
}

function rangeParts(range: Range, today: string): { from: string; to: string } {
  const wanted = new URLSearchParams(rangeQuery(range, today));
  return { from: wanted.get("from") ?? "", to: wanted.get("to") ?? "" };
}

function CustomRange({ range, today, onChoose }: { range: Range; today: string; onChoose(range: Range): void }) {
  const details = useRef<HTMLDetailsElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const close = () => {
    if (details.current) details.current.open = false;
  };
  useEffect(() => {
    const away = (event: Event) => {
      if (event.target instanceof Node && !details.current?.contains(event.target)) close();
    };
    document.addEventListener("pointerdown", away);
    return () => document.removeEventListener("pointerdown", away);
  }, []);

  const choose = (event: SubmitEvent) => {
    event.preventDefault();
    const values = new FormData(event.currentTarget as HTMLFormElement);
    const [from, to] = [String(values.get("from")), String(values.get("to"))];
    const wrong = rangeProblem(from, to, today);
    setProblem(wrong);
    if (wrong) return;
    close();
    onChoose({ from, to });
  };
  const escape = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    close();
    details.current?.querySelector("summary")?.focus();
  };

  return (
    <details class="range-custom" ref={details} onKeyDown={escape}>
      <summary>{dayRange(range.from, range.to)}<span class="visually-hidden">, choose other days</span></summary>
      <form class="popover" key={`${range.from} ${range.to}`} noValidate onSubmit={choose}>
        <Field name="from" type="date" label="First day" value={range.from} />
        <Field name="to" type="date" label="Last day" value={range.to} error={problem ?? undefined} />
        <p class="field-hint">Days are counted in UTC. Compared with {compared(range)}.</p>
        <div class="actions actions-end">
          <Button type="submit" kind="primary" size="small">Show</Button>
        </div>
      </form>
    </details>
  );
}

/** As the server shifts: back by as many whole weeks as the range needs. */
function compared(range: Range): string {
  const days = Math.round((Date.parse(range.to) - Date.parse(range.from)) / 86_400_000) + 1;
  const back = -Math.ceil(days / 7) * 7;
  return dayRange(addDays(range.from, back), addDays(range.to, back));
}
