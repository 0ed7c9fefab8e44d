import { useState } from "preact/hooks";

import { plural } from "../../charts/format.ts";
import { Button } from "../../components/button.tsx";
import { Card } from "../../components/card.tsx";
import type { PageContext } from "../../page.ts";
import { attempt } from "./attempt.ts";
import { PingPath } from "./ping_path.tsx";
import type { PingPlan } from "./ping_shapes.ts";
import { typeWords, valueText } from "./ping_words.ts";

/** What accepting the present plan would add, field by field. Nothing of it is sent before. */
export function PingChange({ plan, ctx }: { plan: PingPlan; ctx: PageContext }) {
  const [busy, setBusy] = useState(false);

  async function accept() {
    setBusy(true);
    await attempt(ctx, () => ctx.api.post("admin/telemetry/ping/accept", { version: plan.version }), `Version ${plan.version} accepted`);
    setBusy(false);
  }

  return (
    <Card
      title={`${plural(plan.waiting.length, "field")} wait${plan.waiting.length === 1 ? "s" : ""} for you`}
      lede={`Version ${plan.accepted} of the plan has been accepted; this release brings version ${plan.version}. Until somebody has seen the difference, only the old fields are sent.`}
      flush
    >
      <ul class="ping-added" aria-label="The difference">
        {plan.waiting.map((field) => (
          <li key={field.path}>
            <span class="ping-plus" aria-hidden="true">+</span>
            <span class="visually-hidden">Added: </span>
            <span class="ping-added-field">
              <b><PingPath path={field.path} /></b>{" "}
              <span class="muted">would say</span> {field.value === null ? <span class="muted">nothing: its value does not fit</span> : <code>{valueText(field.value)}</code>}
            </span>
            <span>{field.why}.</span>
            <span class="muted small">{typeWords(field.type, field.values)} · version {field.plan} · since {field.since} · asked by {field.owner}</span>
          </li>
        ))}
      </ul>
      <div class="card-foot ping-accept">
        <p class="muted">If you do nothing, the old fields go on being sent, and nothing else.</p>
        <Button kind="primary" icon="check" busy={busy} onClick={() => void accept()}>Seen and accepted</Button>
      </div>
    </Card>
  );
}
