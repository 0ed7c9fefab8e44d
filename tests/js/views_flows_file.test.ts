import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_BYTES, readFlows, readFlowsFile } from "../../static/js/views/parts/flows_file.ts";
import { path } from "../../static/js/views/parts/path.ts";

const NODES = [
  { id: "1", type: "tab" }, { id: "2", type: "subflow" }, { id: "3", type: "inject", z: "1", x: 1, y: 0 },
  { id: "4", type: "debug", z: "1", x: 1, y: 2 }, { id: "5", type: "mqtt-broker" }, { id: "6", type: "group", z: "1", x: 1, y: 2 },
];

function problem(text: string): string {
  const reading = readFlows(text);
  return "problem" in reading ? reading.problem : "none";
}

test("a flows file is a list of nodes, whatever stands around it", () => {
  for (const text of [JSON.stringify(NODES), `\ufeff \n${JSON.stringify(NODES, null, 2)}\n`]) {
    assert.deepEqual(readFlows(text), { file: { tabs: 1, nodes: 2, configNodes: 1 } });
  }
});

test("a file that is no JSON is refused with the place", () => {
  assert.equal(
    problem('[\n  {"id": "1",\n   type: "tab"}\n]'),
    "This is not JSON (line 3, column 4). Export it again from Node-RED and take the whole file.",
  );
  assert.equal(
    problem('[{"id": "1"'),
    "This is not JSON (it ends too early). Export it again from Node-RED and take the whole file.",
  );
});

test("JSON that is no flows file is refused with what it is", () => {
  assert.equal(problem(""), "Choose a file or paste its content.");
  assert.equal(problem(" \n"), "Choose a file or paste its content.");
  assert.equal(problem('{"flows": []}'), "A flows file is a list of nodes, but this file holds something else.");
  assert.equal(problem("null"), "A flows file is a list of nodes, but this file holds something else.");
  assert.match(problem('{"$": "c0ffee"}'), /credentials file/);
  assert.equal(problem("[]"), "The list of nodes is empty.");
  assert.equal(problem('[{"id": "1", "type": "tab"}, {"id": 2, "type": "tab"}]'), "Entry 2 is not a node: each needs an “id” and a “type”.");
  assert.equal(problem('[{"id": "", "type": "tab"}]'), "Entry 1 is not a node: each needs an “id” and a “type”.");
  assert.equal(problem("[null]"), "Entry 1 is not a node: each needs an “id” and a “type”.");
});

test("a file that is too large is refused before it is parsed", () => {
  assert.equal(problem(`[${"1".repeat(MOST_BYTES)}]`), "The file is larger than 5 MB.");
});

test("a large file is not even read", async () => {
  const file = new Blob([new Uint8Array(MOST_BYTES + 1)]);
  file.text = () => Promise.reject(new Error("read"));
  assert.deepEqual(await readFlowsFile(file), { problem: "The file is larger than 5 MB." });
  assert.deepEqual(await readFlowsFile(new Blob([JSON.stringify(NODES)])), { file: { tabs: 1, nodes: 2, configNodes: 1 } });
});

test("an id in a path cannot lead to another place", () => {
  assert.equal(path`teams/${"../users"}/members`, "teams/..%2Fusers/members");
  assert.equal(path`projects/${"a b?c"}`, "projects/a%20b%3Fc");
});
