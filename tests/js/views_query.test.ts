import assert from "node:assert/strict";
import { test } from "node:test";

import { changed } from "../../static/js/views/parts/query_state.ts";

test("state of a view joins the address and leaves it again; the rest stays", () => {
  const query = new URLSearchParams("from=2026-11-01&to=2026-11-09&find=a");
  assert.equal(String(changed(query, { find: "", sort: "users" })), "from=2026-11-01&to=2026-11-09&sort=users");
  assert.equal(String(changed(query, { find: "b & c" })), "from=2026-11-01&to=2026-11-09&find=b+%26+c");
  assert.equal(String(query), "from=2026-11-01&to=2026-11-09&find=a");
});
