import { useState } from "preact/hooks";

import { ApiError } from "../../api.ts";
import { plural } from "../../charts/format.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { TextArea } from "../../components/field.tsx";
import { FormBody, useForm } from "../../components/form.tsx";
import { Notice } from "../../components/notice.tsx";
import type { PageContext } from "../../page.ts";
import { readFlows } from "./flows_file.ts";
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
  const [chosen, setChosen] = useState<{ name: string; text: string } | null>(null);
  const form = useForm(async (values) => {
    const reading = readFlows(chosen?.text ?? String(values.text ?? ""));
    if ("problem" in reading) throw new ApiError("not_flows", reading.problem, 0, chosen ? {} : { text: reading.problem });
    const flows = await ctx.api.put<Flows>(path`projects/${project.id}/flows`, reading.file.nodes);
    ctx.toast(`${plural(flows.nodes, "node")} imported`, "success");
    onClose();
    await ctx.reload();
  });

  return (
    <FormBody form={form} label="Import flows">
      <FilePicker name={chosen?.name ?? null} onPick={setChosen} />
      {chosen ? <Preview text={chosen.text} /> : (
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

interface FilePickerProps {
  readonly name: string | null;
  onPick(file: { name: string; text: string } | null): void;
}

function FilePicker({ name, onPick }: FilePickerProps) {
  const pick = async (event: Event) => {
    const file = (event.currentTarget as HTMLInputElement).files?.[0];
    onPick(file ? { name: file.name, text: await file.text() } : null);
  };
  return (
    <div class="field">
      <label for="flows-file">Flows file</label>
      <div class="file-row">
        <input id="flows-file" type="file" accept=".json,application/json,text/plain" onChange={pick} />
        {name && (
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

function Preview({ text }: { text: string }) {
  const reading = readFlows(text);
  if ("problem" in reading) return <Notice tone="danger" alert><p>{reading.problem}</p></Notice>;
  const { tabs, count } = reading.file;
  return <Notice tone="success"><p>{plural(count, "node")} on {plural(tabs, "tab")}.</p></Notice>;
}
