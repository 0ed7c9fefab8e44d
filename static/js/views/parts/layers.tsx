import { Badge } from "../../components/badge.tsx";
import type { Layer } from "./shapes.ts";
import { layerValue, layerWords } from "./telemetry_words.ts";

/** Who may say whether a channel is on, in the order of their power, and which of them decides. */
export function Layers({ layers }: { layers: readonly Layer[] }) {
  return (
    <details class="definition">
      <summary><span class="definition-ask">Who decides</span></summary>
      <p>The first layer that says something decides.</p>
      <ol class="layers">
        {layers.map((layer) => (
          <li key={layer.layer} class={layer.decides ? "layer layer-decides" : "layer"}>
            <span>{layerWords(layer.layer)}</span>
            <span>{layerValue(layer.value)}</span>
            {layer.decides && <Badge tone="accent">decides</Badge>}
          </li>
        ))}
      </ol>
    </details>
  );
}
