import assert from "node:assert/strict";
import { test } from "node:test";

import { createApi } from "../../static/js/api.ts";

test("a blob is sent as it is, byte for byte", async () => {
  const text = '[{"id": "1", "type": "tab", "n": 9007199254740993, "x": 1.0}]';
  const sent: unknown[] = [];
  const api = createApi({
    async fetch(_url, init) {
      sent.push(init.body instanceof Blob ? await init.body.text() : init.body, new Headers(init.headers).get("Content-Type"));
      return new Response(null, { status: 204 });
    },
    csrf: { get: () => "token", set: () => undefined },
    onSessionEnd: () => undefined,
    onChange: () => undefined,
  });
  await api.put("projects/p/flows", new Blob([text]));
  assert.deepEqual(sent, [text, "application/json"]);
});
