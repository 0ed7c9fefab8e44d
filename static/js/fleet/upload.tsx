/** Takes the file of `flowforge telemetry bundle`: pings of a platform that cannot reach this collector itself. */

import { useRef, useState } from "preact/hooks";

import { ApiError } from "../api.ts";
import { Button } from "../components/button.tsx";
import { Notice } from "../components/notice.tsx";
import { ask } from "./asking.ts";
import { bundleSentence } from "./shaping.ts";
import type { BundleAnswer } from "./shapes.ts";

type State = { tone: "success" | "warning" | "danger"; text: string } | null;

export function Upload({ done }: { done: () => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [busy, setBusy] = useState(false);
  const [state, setState] = useState<State>(null);

  async function send(file: File): Promise<void> {
    setBusy(true);
    setState(null);
    try {
      const { pings } = await ask<{ pings: BundleAnswer[] }>("bundle", { method: "POST", body: file });
      setState(bundleSentence(pings));
      done();
    } catch (error) {
      setState({ tone: "danger", text: error instanceof ApiError ? error.message : "The file could not be read." });
    } finally {
      setBusy(false);
      if (input.current) input.current.value = "";
    }
  }

  return (
    <section class="card upload" aria-labelledby="upload">
      <div class="card-head"><h2 id="upload">Pings carried by hand</h2></div>
      <div class="card-body">
        <p class="muted">
          A platform without a way to this collector writes its pings into a file with <code>flowforge telemetry bundle FILE</code>.
          Each ping in it counts once, however often it is uploaded.
        </p>
        <input
          ref={input}
          id="bundle"
          type="file"
          class="visually-hidden"
          aria-label="Bundle file"
          tabIndex={-1}
          onChange={(event) => {
            const [file] = event.currentTarget.files ?? [];
            if (file) void send(file);
          }}
        />
        <Button busy={busy} icon="plus" onClick={() => input.current?.click()}>Upload a bundle</Button>
        {state && <Notice tone={state.tone} alert><p>{state.text}</p></Notice>}
      </div>
    </section>
  );
}
