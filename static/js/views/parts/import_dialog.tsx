import { useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { plural } from "../../charts/format.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextArea } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";
import { readFlows, readFlowsFile, type Reading } from "./flows_file.ts";
import { path } from "./path.ts";
import type { Flows, Project } from "./shapes.ts";

interface Props {
  readonly open: boolean;
  readonly project: Project;
  /** Nodes that the import would replace. */
  readonly present: number;
  readonly ctx: PageContext;
  onClose(): void;
}

/** Takes a flows file from the disk or the clipboard; says what is in it before it is sent. */
export function ImportDialog({ open, project, present, ctx, onClose }: Props) {
  return (
    <Dialog open={open} title={`Import flows into ${project.name}`} onClose={onClose}>
      <ImportForm project={project} present={present} ctx={ctx} onClose={onClose} />
    </Dialog>
  );
}

function ImportForm({ project, present, ctx, onClose }: Omit<Props, "open">) {
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const form = useForm(async (values) => {
    const reading = chosen?.reading ?? readFlows(String(values.text ?? ""));
    if ("problem" in reading) throw new ApiError("not_flows", reading.problem, 0, chosen ? {} : { text: reading.problem });
    // The very bytes: read and written again, large numbers would come out different.
    const bytes = chosen?.file ?? new Blob([String(values.text)]);
    ctx.toast(`${plural(await send(ctx, project, bytes), "node")} imported`, "success");
    onClose();
    await ctx.reload();
  });

  return (
    <FormBody form={form} label="Import flows">
      <FilePicker chosen={chosen !== null} onPick={setChosen} />
      {chosen ? <Preview reading={chosen.reading} /> : (
        <TextArea name="text" label="Or paste its content" rows={8} placeholder='[{"id": "…", "type": "tab", …}]' error={form.errors.text} />
      )}
      {present > 0 && (
        <Notice tone="warning"><p>The {plural(present, "node")} that are in this project now will be replaced.</p></Notice>
      )}
      <div class="actions actions-end">
        <Button onClick={onClose}>Cancel</Button>
        <Button type="submit" kind="primary" busy={form.busy}>{present > 0 ? "Replace flows" : "Import flows"}</Button>
      </div>
    </FormBody>
  );
}

/** Puts the flows; what is wrong with them concerns the file as a whole, wherever it came from. */
async function send(ctx: PageContext, project: Project, bytes: Blob): Promise<number> {
  try {
    const { nodes, config_nodes } = await ctx.api.put<Flows>(path`projects/${project.id}/flows`, bytes);
    return nodes + config_nodes;
  } catch (error) {
    throw error instanceof ApiError ? new ApiError(error.code, error.message, error.status) : error;
  }
}

interface Chosen {
  readonly file: File;
  readonly reading: Reading;
}

interface FilePickerProps {
  readonly chosen: boolean;
  onPick(chosen: Chosen | null): void;
}

function FilePicker({ chosen, onPick }: FilePickerProps) {
  const pick = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    onPick(file ? { file, reading: await readFlowsFile(file) } : null);
  };
  return (
    <div class="field">
      <label for="flows-file">Flows file</label>
      <div class="file-row">
        <input id="flows-file" type="file" accept=".json,application/json,text/plain" onChange={pick} />
        {chosen && (
          <Button
            kind="quiet"
            size="small"
            onClick={() => {
              const input = document.getElementById("flows-file");
              if (input instanceof HTMLInputElement) input.value = "";
              onPick(null);
            }}
          >
            Paste instead
          </Button>
        )}
      </div>
    </div>
  );
}

function Preview({ reading }: { reading: Reading }) {
  if ("problem" in reading) return <Notice tone="danger" alert><p>{reading.problem}</p></Notice>;
  const { tabs, nodes, configNodes } = reading.file;
  return (
    <Notice tone="success">
      <p>{plural(nodes, "node")} on {plural(tabs, "tab")}, {plural(configNodes, "configuration node")}.</p>
    </Notice>
  );
}
