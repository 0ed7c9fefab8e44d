// Shapes of the layouts that several views of this folder share; drawn in the places where the content will stand.

/** The head of pages with tabs and without a way back: administration and insights. */
export function SkeletonSection() {
  return (
    <div class="page-header page-header-tabs" aria-hidden="true">
      <div class="bone bone-title" />
      <div class="tabs" />
    </div>
  );
}

/** The range picker. */
export function SkeletonRange() {
  return (
    <div class="range" aria-hidden="true">
      <div class="bone bone-range" />
      <div class="bone bone-days" />
    </div>
  );
}

/** Tiles with a comparison and a definition. */
export function SkeletonInsightTiles() {
  return (
    <div class="tiles insight-tiles" aria-hidden="true">
      {[0, 1, 2, 3, 4].map((index) => (
        <div key={index} class="tile">
          <div class="bone bone-short" />
          <div class="bone bone-title" />
          <div class="bone bone-text" />
          <div class="bone bone-short" />
        </div>
      ))}
    </div>
  );
}

export function SkeletonFigure() {
  return (
    <div class="figure bone-figure" aria-hidden="true">
      <div class="bone bone-short" />
      <div class="bone bone-plot" />
    </div>
  );
}
