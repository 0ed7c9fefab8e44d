import { change, count, measure } from "../../charts/format.ts";
import { Definition } from "../../charts/figure.tsx";
import type { Tile } from "./shapes.ts";

interface Props {
  readonly tiles: readonly Tile[];
  /** The previous period in words. */
  readonly compared: string;
  /** Whether that period was recorded from its first day on; only then is a change good or bad. */
  readonly whole: boolean;
}

/** Numbers of a dashboard: each with its comparison, what it rests on and how it is counted. */
export function InsightTiles({ tiles, compared, whole }: Props) {
  return (
    <ul class="tiles insight-tiles">
      {tiles.map((tile) => <InsightTile key={tile.key} tile={tile} compared={compared} whole={whole} />)}
    </ul>
  );
}

function InsightTile({ tile, compared, whole }: { tile: Tile } & Omit<Props, "tiles">) {
  const moved = change(tile.value, tile.previous);
  return (
    <li class="tile">
      <h2 class="tile-label">{tile.label}</h2>
      <p class="tile-value">{measure(tile.value, tile.unit)}</p>
      <p class={`tile-change change-${whole ? moved.direction : "unknown"}`} title={`${measure(tile.previous, tile.unit)} from ${compared}`}>
        <span>{moved.text}</span>
        <span class="muted">
          {tile.previous === null ? "nothing to compare" : (
            <><span class="visually-hidden">against </span>{measure(tile.previous, tile.unit)} before</>
          )}
        </span>
      </p>
      <Definition lead={`n = ${count(tile.n)}`} text={tile.definition} />
    </li>
  );
}
