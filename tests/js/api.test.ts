import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { address, ApiError, createApi } from "../../static/js/api.ts";

interface Sent {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string | undefined;
}

function scene(answers: (Response | Error)[]) {
  const sent: Sent[] = [];
  const told: string[] = [];
  let token = "first";
  const api = createApi({
    fetch(url, init) {
      sent.push({ url, method: init.method ?? "", headers: init.headers as Record<string, string>, body: init.body as string | undefined });
      init.signal?.throwIfAborted();
      const answer = answers.shift();
      return answer instanceof Response ? Promise.resolve(answer) : Promise.reject(answer ?? new TypeError("no answer"));
    },
    csrf: { get: () => token, set: (next) => (token = next) },
    onSessionEnd: () => told.push("session ended"),
    onChange: () => told.push("changed"),
  });
  return { api, sent, told };
}

function json(body: unknown, status = 200): Response {
  return new Response(JSON.stringify(body), { status });
}

function refusal(code: string, status: number, more: object = {}): Response {
  return json({ code, error: "A sentence.", ...more }, status);
}

describe("requests", () => {
  it("to read carry no token", async () => {
    const { api, sent, told } = scene([json({ teams: [] })]);
    assert.deepEqual(await api.get("teams"), { teams: [] });
    assert.deepEqual(sent, [{ url: "/api/v1/teams", method: "GET", headers: { Accept: "application/json" }, body: undefined }]);
    assert.deepEqual(told, []);
  });

  it("to change carry the token and JSON, and tell that something has changed", async () => {
    const { api, sent, told } = scene([json({ id: "1" }, 201)]);
    assert.deepEqual(await api.post("teams", { name: "é" }), { id: "1" });
    assert.deepEqual(sent, [
      {
        url: "/api/v1/teams", method: "POST", body: '{"name":"é"}',
        headers: { Accept: "application/json", "X-CSRF-Token": "first", "Content-Type": "application/json" },
      },
    ]);
    assert.deepEqual(told, ["changed"]);
  });

  it("without content answer undefined", async () => {
    assert.equal(await scene([new Response(null, { status: 204 })]).api.delete("teams/1"), undefined);
  });

  it("use their method", async () => {
    const { api, sent } = scene([json({}), json({}), json({})]);
    await api.put("a", {});
    await api.patch("a", {});
    await api.delete("a");
    assert.deepEqual(sent.map((one) => one.method), ["PUT", "PATCH", "DELETE"]);
  });
});

describe("addresses", () => {
  it("are below the API unless they start with a slash", () => {
    assert.equal(address("teams/1"), "/api/v1/teams/1");
    assert.equal(address("/account/login"), "/account/login");
  });

  it("carry the parameters that have a value", () => {
    assert.equal(address("x", { from: "2026-01-01", to: null, all: true, n: 0, none: undefined }), "/api/v1/x?from=2026-01-01&all=true&n=0");
  });
});

describe("errors", () => {
  async function failureOf(answer: Response | Error): Promise<ApiError> {
    const failure: unknown = await scene([answer]).api.get("x").catch((error: unknown) => error);
    assert.ok(failure instanceof ApiError);
    return failure;
  }

  it("carry code, sentence, status and fields", async () => {
    const failure = await failureOf(refusal("invalid", 400, { fields: { name: "Too long." } }));
    assert.deepEqual(
      [failure.code, failure.message, failure.status, failure.fields],
      ["invalid", "A sentence.", 400, { name: "Too long." }],
    );
  });

  it("have an answer for answers that are no JSON", async () => {
    const failure = await failureOf(new Response("<html>", { status: 502 }));
    assert.deepEqual([failure.code, failure.message, failure.status], ["bad_answer", "The server answered with status 502.", 502]);
  });

  for (const body of ["null", "[]", '"x"', '{"code":7,"error":[],"fields":"no"}']) {
    it(`have an answer for ${body}`, async () => {
      const failure = await failureOf(new Response(body, { status: 400 }));
      assert.deepEqual([failure.code, failure.fields], ["bad_answer", {}]);
    });
  }

  it("of a success that is no JSON are errors", async () => {
    const failure = await failureOf(new Response("<html>"));
    assert.deepEqual([failure.code, failure.status], ["bad_answer", 200]);
  });

  it("of the network have status 0", async () => {
    const failure = await failureOf(new TypeError("Failed to fetch"));
    assert.deepEqual([failure.code, failure.status], ["network", 0]);
  });

  it("of an abort are the abort's own", async () => {
    const controller = new AbortController();
    controller.abort(new Error("newer visit"));
    await assert.rejects(scene([]).api.get("x", { signal: controller.signal }), /newer visit/);
  });
});

describe("the token", () => {
  it("is fetched anew once when it is refused", async () => {
    const { api, sent } = scene([refusal("csrf", 403), json({ csrf: "second" }), json({ ok: true })]);
    assert.deepEqual(await api.post("x", {}), { ok: true });
    assert.deepEqual(sent.map((one) => [one.method, one.url, one.headers["X-CSRF-Token"]]), [
      ["POST", "/api/v1/x", "first"], ["GET", "/api/v1/csrf", undefined], ["POST", "/api/v1/x", "second"],
    ]);
  });

  it("is fetched once only", async () => {
    const { api, sent } = scene([refusal("csrf", 403), json({ csrf: "second" }), refusal("csrf", 403)]);
    await assert.rejects(api.post("x", {}), { code: "csrf" });
    assert.equal(sent.length, 3);
  });
});

describe("the session", () => {
  it("has ended when the server says so", async () => {
    const { api, told } = scene([refusal("not_signed_in", 401)]);
    await assert.rejects(api.get("teams"), { code: "not_signed_in" });
    assert.deepEqual(told, ["session ended"]);
  });

  it("has not ended with a wrong password", async () => {
    const { api, told } = scene([refusal("bad_credentials", 401)]);
    await assert.rejects(api.post("/account/login", {}), { code: "bad_credentials" });
    assert.deepEqual(told, []);
  });
});
