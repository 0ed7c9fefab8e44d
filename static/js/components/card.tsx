import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

interface CardProps {
  title?: string;
  /** A sentence below the title. */
  lede?: ComponentChildren;
  actions?: ComponentChildren;
  /** The content brings its own padding (tables, lists). */
  flush?: boolean;
  children?: ComponentChildren;
}

export function Card({ title, lede, actions, flush, children }: CardProps) {
  const id = useId();
  return (
    <section class={flush ? "card card-flush" : "card"} aria-labelledby={title ? id : undefined}>
      {(title || actions) && (
        <header class="card-head">
          <div>
            {title && <h2 id={id}>{title}</h2>}
            {lede && <p class="muted">{lede}</p>}
          </div>
          {actions && <div class="actions">{actions}</div>}
        </header>
      )}
      <div class="card-body">{children}</div>
    </section>
  );
}

/** Terms and their values, one line each. */
export function Facts({ items }: { items: readonly (readonly [string, ComponentChildren])[] }) {
  return (
    <dl class="facts">
      {items.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
