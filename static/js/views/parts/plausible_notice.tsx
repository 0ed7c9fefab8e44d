import { Notice } from "../../components/notice.tsx";

/** For installations that still report to Plausible: what it does, and the way to PostHog. */
export function PlausibleNotice() {
  return (
    <Notice tone="warning" title="Plausible is deprecated since 0.9">
      <p>
        It still counts views by route, and nothing else. Engaged time, actions and teams are only in PostHog and in
        Insights. To move:
      </p>
      <ol class="steps">
        <li>Put your PostHog project key into <code>telemetry.frontend.posthog.apikey</code> in flowforge.yml.</li>
        <li>Restart, and see under <a class="link" href="/admin/telemetry">Telemetry</a> that PostHog is on and has had a success.</li>
        <li>Let both run side by side for as long as you want to compare.</li>
        <li>Remove <code>telemetry.frontend.plausible.domain</code> (or the older <code>telemetry.plausible.domain</code>).</li>
      </ol>
    </Notice>
  );
}
