import { Bar } from "../../charts/bars.tsx";
import { count, percent } from "../../charts/format.ts";
import type { TelemetryStatus } from "./shapes.ts";
import { received } from "./telemetry_sum.ts";
import { humanise } from "./telemetry_words.ts";

/** Accepted and dropped by reason, with the sum both add up to. */
export function ReceivedTable({ status }: { status: TelemetryStatus }) {
  const { accepted, sent, reasons } = received(status);
  const rows: readonly (readonly [string, number, boolean])[] = [
    ["Accepted", accepted, true],
    ...reasons.map(([reason, number]) => [humanise(reason), number, false] as const),
  ];
  return (
    <table class="barlist received">
      <caption class="visually-hidden">Events sent to this server, accepted and dropped by reason</caption>
      <thead>
        <tr>
          <th scope="col">What became of them</th>
          <th scope="col" class="barlist-bar"><span class="visually-hidden">Share as a bar</span></th>
          <th scope="col" class="num">Share</th>
          <th scope="col" class="num">Events</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([label, number, kept]) => (
          <tr key={label}>
            <th scope="row">{kept ? label : <>Dropped: {label.toLowerCase()}</>}</th>
            <td class="barlist-bar"><Bar value={number} highest={sent} /></td>
            <td class="num muted">{percent(sent > 0 ? number / sent : null)}</td>
            <td class="num">{count(number)}</td>
          </tr>
        ))}
      </tbody>
      <tfoot>
        <tr><th scope="row">Sent to this server</th><td class="barlist-bar" /><td class="num" /><td class="num">{count(sent)}</td></tr>
      </tfoot>
    </table>
  );
}
