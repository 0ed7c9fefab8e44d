/** Text to the byte, wrapped rather than scrolled; reachable by keyboard, as it may be long. */
export function PingBody({ label, text }: { label: string; text: string }) {
  return <pre class="ping-body" role="region" aria-label={label} tabIndex={0}>{text}</pre>;
}
