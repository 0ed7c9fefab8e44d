// Shapes of the coming layout. They say nothing to screen readers: the layout marks the page as busy.

interface Count {
  count?: number;
}

function times(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

export function SkeletonHeader({ tabs }: { tabs?: boolean }) {
  return (
    <div class={tabs ? "page-header page-header-tabs" : "page-header"} aria-hidden="true">
      <div class="bone bone-title" />
      <div class="bone bone-text" />
      {tabs && <div class="tabs" />}
    </div>
  );
}

export function SkeletonLines({ count = 3 }: Count) {
  return (
    <div class="bones" aria-hidden="true">
      {times(count).map((index) => (
        <div key={index} class="bone bone-text" />
      ))}
    </div>
  );
}

export function SkeletonTable({ count = 6 }: Count) {
  return (
    <div class="card card-flush" aria-hidden="true">
      {times(count).map((index) => (
        <div key={index} class="bone-row">
          <div class="bone bone-text" />
          <div class="bone bone-short" />
          <div class="bone bone-short" />
        </div>
      ))}
    </div>
  );
}

export function SkeletonTiles({ count = 5 }: Count) {
  return (
    <div class="tiles" aria-hidden="true">
      {times(count).map((index) => (
        <div key={index} class="tile">
          <div class="bone bone-short" />
          <div class="bone bone-title" />
        </div>
      ))}
    </div>
  );
}

export function SkeletonCard({ count = 4 }: Count) {
  return (
    <div class="card" aria-hidden="true">
      <div class="card-body">
        <SkeletonLines count={count} />
      </div>
    </div>
  );
}

/** A view that brings no shape of its own. */
export function SkeletonPage() {
  return (
    <>
      <SkeletonHeader />
      <SkeletonCard count={6} />
    </>
  );
}
