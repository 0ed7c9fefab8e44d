import { useEffect, useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import type { PageContext } from "../../page.ts";
import { PingPath } from "./ping_path.tsx";
import type { PingConsole, PingPlan } from "./ping_shapes.ts";
import { typeWords, valueText } from "./ping_words.ts";

/** The whole list of what the core ping says, for whoever has to decide on it. Going on accepts this version. */
export function PingFields({ ctx }: { ctx: PageContext }) {
  const [plan, setPlan] = useState<PingPlan | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    ctx.api.get<PingConsole>("admin/telemetry/ping", { signal: stop.signal }).then(
      (found) => setPlan(found.plan),
      (error: unknown) => {
        if (!stop.signal.aborted) setProblem(error instanceof ApiError ? error.message : "It could not be fetched.");
      },
    );
    return () => stop.abort();
  }, []);
  return (
    <details class="definition option-more">
      <summary><span class="definition-ask">Every field of the ping, and what it would say here</span></summary>
      {problem && <p role="alert">The list is not there: {problem} Reload the page to try again.</p>}
      {plan && <Fields plan={plan} />}
    </details>
  );
}

function Fields({ plan }: { plan: PingPlan }) {
  return (
    <>
      <ul class="field-list">
        {plan.fields.map((field) => (
          <li key={field.path}>
            <span><PingPath path={field.path} /> <code class="field-value">{valueText(field.value)}</code></span>
            <span>{field.why}.</span>
          </li>
        ))}
        {plan.envelope.map((field) => (
          <li key={field.path}>
            <span><PingPath path={`envelope.${field.path}`} /> <span class="field-value">{typeWords(field.type)}</span></span>
            <span>{field.why}.</span>
          </li>
        ))}
      </ul>
      <p>
        This is version {plan.version} of the list, and going on accepts it. A later release that asks for more sends
        nothing of that until an administrator has seen the difference.
      </p>
    </>
  );
}
