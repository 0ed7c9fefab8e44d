/** Reading a Node-RED flows file before it is sent, so that a wrong file is refused with words that help. Pure. */

import { errorOffset } from "./json_place.ts";

/** The server refuses more; bytes of UTF-8. */
export const MOST_BYTES = 5_000_000;
const TOO_LARGE = "The file is larger than 5 MB.";

/** What is in the file, counted as the server counts: nodes have a place on a canvas, configuration nodes do not. */
export interface FlowsFile {
  readonly tabs: number;
  readonly nodes: number;
  readonly configNodes: number;
}

export type Reading = { readonly file: FlowsFile } | { readonly problem: string };

/** A file too large is refused unread. */
export async function readFlowsFile(file: Blob): Promise<Reading> {
  return file.size > MOST_BYTES ? { problem: TOO_LARGE } : readFlows(await file.text());
}

/** `text` is the file's content, or what was pasted. */
export function readFlows(text: string): Reading {
  const content = text.replace(/^\ufeff/, "").trimEnd();
  if (content.trim() === "") return { problem: "Choose a file or paste its content." };
  if (new Blob([content]).size > MOST_BYTES) return { problem: TOO_LARGE };
  const parsed = parse(content);
  if ("problem" in parsed) return parsed;
  return check(parsed.value);
}

function parse(content: string): { value: unknown } | { problem: string } {
  try {
    return { value: JSON.parse(content) };
  } catch {
    return { problem: `This is not JSON${place(content)}. Export it again from Node-RED and take the whole file.` };
  }
}

function check(value: unknown): Reading {
  if (!Array.isArray(value)) {
    const credentials = typeof value === "object" && value !== null && "$" in value;
    return {
      problem: credentials
        ? "This is Node-RED's credentials file. Take the flows file (flows.json) instead; credentials are never needed here."
        : "A flows file is a list of nodes, but this file holds something else.",
    };
  }
  if (value.length === 0) return { problem: "The list of nodes is empty." };
  const wrong = value.findIndex((node) => !isNode(node));
  if (wrong >= 0) return { problem: `Entry ${wrong + 1} is not a node: each needs an “id” and a “type”.` };
  return { file: count(value) };
}

interface FlowsNode {
  readonly id: string;
  readonly type: string;
  readonly x?: unknown;
  readonly y?: unknown;
}

function isNode(node: unknown): node is FlowsNode {
  if (typeof node !== "object" || node === null) return false;
  const { id, type } = node as Partial<FlowsNode>;
  return typeof id === "string" && id !== "" && typeof type === "string" && type !== "";
}

/** Neither nodes nor configuration. */
const OTHERS: ReadonlySet<string> = new Set(["tab", "subflow", "group", "junction"]);

function count(entries: readonly FlowsNode[]): FlowsFile {
  const counted = entries.filter(({ type }) => !OTHERS.has(type));
  const nodes = counted.filter((node) => "x" in node && "y" in node).length;
  return { tabs: entries.filter(({ type }) => type === "tab").length, nodes, configNodes: counted.length - nodes };
}

function place(content: string): string {
  const offset = errorOffset(content);
  if (offset === null) return "";
  if (offset === content.length) return " (it ends too early)";
  const before = content.slice(0, offset).split("\n");
  return ` (line ${before.length}, column ${(before.at(-1) ?? "").length + 1})`;
}
