import { Icon } from "./icon.tsx";

/** Where one is in a sequence; `current` counts from 0. */
export function Steps({ labels, current }: { labels: readonly string[]; current: number }) {
  return (
    <ol class="progress-steps" aria-label="Progress">
      {labels.map((label, index) => (
        <li key={label} class={index < current ? "step-done" : undefined} aria-current={index === current ? "step" : undefined}>
          <span class="step-mark" aria-hidden="true">
            {index < current ? <Icon name="check" /> : index + 1}
          </span>
          {label}
          {index < current && <span class="visually-hidden"> (done)</span>}
        </li>
      ))}
    </ol>
  );
}
