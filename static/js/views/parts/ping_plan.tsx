import { Badge } from "../../components/badge.tsx";
import { Card } from "../../components/card.tsx";
import { PingPath } from "./ping_path.tsx";
import type { PingPlan } from "./ping_shapes.ts";
import { typeWords, valueText } from "./ping_words.ts";

/** The whole list of fields: what each says now, what it can say at all, and why it is asked. */
export function PingPlanCard({ plan, allowed }: { plan: PingPlan; allowed: boolean }) {
  return (
    <Card
      title={allowed ? "What is sent, and why" : "What would be sent, and why"}
      lede="The complete list: a field that is not here is not sent. There is no free text; each has one of a few closed types."
      flush
    >
      <div class="table-wrap" role="region" aria-label="Fields of the ping" tabIndex={0}>
        <table class="ping-plan">
          <thead><tr><th scope="col">Field, and what it says now</th><th scope="col">Why</th></tr></thead>
          <tbody>
            {plan.fields.map((field) => (
              <tr key={field.path}>
                <th scope="row">
                  <span title={typeWords(field.type, field.values)}><PingPath path={field.path} /></span>
                  <span class="ping-value">
                    {field.value === null ? <span class="muted">left out: it does not fit {typeWords(field.type)}</span> : <code>{valueText(field.value)}</code>}
                    {!field.sent && <Badge tone="warning">waits for you</Badge>}
                  </span>
                </th>
                <td>
                  {field.why}.
                  <span class="ping-origin">since {field.since} · asked by {field.owner}</span>
                </td>
              </tr>
            ))}
          </tbody>
          <tbody>
            <tr class="ping-part"><th scope="rowgroup" colSpan={2}>In an envelope beside it; none of it describes the installation</th></tr>
            {plan.envelope.map((field) => (
              <tr key={field.path}>
                <th scope="row"><PingPath path={`envelope.${field.path}`} /><span class="ping-value muted">{typeWords(field.type)}</span></th>
                <td>{field.why}.</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Card>
  );
}
