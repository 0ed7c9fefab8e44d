export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <rect width="24" height="24" rx="6" />
      <path d="M6.5 8.25h4.25c3 0 1.5 7.5 6.75 7.5M6.5 15.75h3.25M14.25 8.25h3.25" />
    </svg>
  );
}

export function Brand({ href }: { href?: string }) {
  const inner = (
    <>
      <Mark />
      <span class="brand-name">FlowForge</span>
    </>
  );
  return href ? (
    <a class="brand" href={href} aria-label="FlowForge, home">
      {inner}
    </a>
  ) : (
    <span class="brand">{inner}</span>
  );
}
