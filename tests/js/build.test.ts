import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import zlib from "node:zlib";

interface Entry {
  js: string;
  css: string;
  imports: string[];
  gzip: number;
}

interface Manifest {
  entry: Entry;
  fleet?: Entry;
  routes: Record<string, string[]>;
  files: string[];
}

type Bundle = (places: { root: string; dist: string; maps: string }) => Promise<Manifest>;

const script = new URL("../../scripts/build.mjs", import.meta.url).href;
const { bundle } = (await import(script)) as { bundle: Bundle };

const rooms: string[] = [];
after(() => Promise.all(rooms.map((room) => rm(room, { recursive: true }))));

async function build(files: Record<string, string>, room?: string): Promise<{ manifest: Manifest; root: string; dist: string }> {
  const root = room ?? (await mkdtemp(path.join(tmpdir(), "build-")));
  if (!room) rooms.push(root);
  const all = { "static/css/main.css": "p { color: red }", "static/js/core.ts": "[1].length;", ...files };
  for (const [name, text] of Object.entries(all)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), text);
  }
  const dist = path.join(root, "static/dist");
  return { manifest: await bundle({ root, dist, maps: path.join(root, "maps") }), root, dist };
}

const PACKAGE = {
  "node_modules/posthog-js/package.json": '{"name": "posthog-js", "version": "1.0.0", "license": "MIT", "main": "x.js"}',
  "node_modules/posthog-js/x.js": "export default { captured: 7 };",
  "node_modules/posthog-js/LICENSE": "MIT, of somebody",
};

describe("the build", () => {
  it("names what the shell needs, and what each route needs besides", async () => {
    const { manifest } = await build({
      "static/js/main.tsx": 'import "./core.ts"; document.title = "x"; void import("./pages/team.ts");',
      "static/js/pages/team.ts": 'export { home } from "../home.ts"; export const team = 2;',
      "static/js/home.ts": "export const home = 1;",
    });
    assert.match(manifest.entry.js, /^[A-Z0-9]{8}\.js$/);
    assert.match(manifest.entry.css, /^style-[A-Z0-9]{8}\.css$/);
    assert.deepEqual(Object.keys(manifest.routes).sort(), ["home", "team"]);
    assert.deepEqual(manifest.routes["home"], manifest.routes["team"]);
    const needed = [manifest.entry.js, manifest.entry.css, ...manifest.entry.imports, ...(manifest.routes["home"] ?? [])];
    assert.deepEqual(manifest.files, needed.sort());
  });

  it("puts all that the entry is made of into one file, whoever imports parts of it later", async () => {
    const { manifest, dist } = await build({
      "static/js/main.tsx": 'import { a } from "./a.ts"; import { b } from "./b.ts"; console.log(a, b); void import("./pages/team.ts"); void import("./pages/admin.ts");',
      "static/js/a.ts": 'export const a = { said: "a" };',
      "static/js/b.ts": 'export const b = { said: "b" };',
      "static/js/pages/team.ts": 'import { a } from "../a.ts"; export const team = a;',
      "static/js/pages/admin.ts": 'import { b } from "../b.ts"; export const admin = b;',
    });
    assert.deepEqual(manifest.entry.imports, []);
    const entry = await readFile(path.join(dist, manifest.entry.js), "utf8");
    assert.match(entry, /said:"a".*said:"b"/s);
    assert.deepEqual([manifest.routes["team"]?.length, manifest.routes["admin"]?.length], [1, 1]);
  });

  it("compresses each file, keeps maps and licences, and writes the manifest it returns", async () => {
    const { manifest, root, dist } = await build({
      ...PACKAGE,
      "static/js/main.tsx": 'void import("./later.ts"); console.log("a".repeat(9));',
      "static/js/later.ts": 'import posthog from "posthog-js"; console.log(posthog);',
    });
    for (const file of manifest.files) {
      const plain = await readFile(path.join(dist, file));
      assert.deepEqual(zlib.brotliDecompressSync(await readFile(path.join(dist, `${file}.br`))), plain);
      assert.deepEqual(zlib.gunzipSync(await readFile(path.join(dist, `${file}.gz`))), plain);
      assert.ok(!plain.includes("sourceMappingURL"));
    }
    assert.deepEqual((await readdir(path.join(root, "maps"))).sort(), manifest.files.map((file) => `${file}.map`).sort());
    assert.match(await readFile(path.join(dist, "LICENSES.txt"), "utf8"), /^posthog-js 1\.0\.0 \(MIT\)\n\nMIT, of somebody\n$/);
    assert.deepEqual(JSON.parse(await readFile(path.join(dist, "manifest.json"), "utf8")), manifest);
  });

  it("keeps what has not changed and removes what is no longer needed", async () => {
    const before = await build({ "static/js/main.tsx": "console.log(1);" });
    const { manifest, dist } = await build({ "static/js/main.tsx": "console.log(2);" }, before.root);
    assert.equal(manifest.entry.css, before.manifest.entry.css);
    const expected = manifest.files.flatMap((file) => [file, `${file}.br`, `${file}.gz`]);
    assert.deepEqual((await readdir(dist)).sort(), [...expected, "LICENSES.txt", "manifest.json"].sort());
  });

  it("bundles the fleet's page where there is one", async () => {
    const { manifest } = await build({ "static/js/main.tsx": "console.log(1);", "static/js/fleet.tsx": "console.log(2);" });
    assert.match(manifest.fleet?.js ?? "", /^fleet-[A-Z0-9]{8}\.js$/);
  });

  it("settles NODE_ENV", async () => {
    const { manifest, dist } = await build({ "static/js/main.tsx": 'console.log(process.env.NODE_ENV === "production" ? "p" : "d");' });
    assert.equal(await readFile(path.join(dist, manifest.entry.js), "utf8"), 'console.log("p");\n');
  });
});

describe("private members", () => {
  const parts = (how: string) => ({
    ...PACKAGE,
    "node_modules/posthog-js/x.js": `export default { _privateMember: 7, read() { return this._privateMember + ${how}; } };`,
    "static/js/main.tsx": 'void import("./later.ts");',
    "static/js/later.ts": 'import posthog from "posthog-js"; console.log(posthog.read());',
  });

  it("of the SDK have short names", async () => {
    const { manifest, dist } = await build(parts("1"));
    const texts = await Promise.all(manifest.files.map((file) => readFile(path.join(dist, file), "utf8")));
    assert.ok(!texts.some((text) => text.includes("_privateMember")));
  });

  it("are refused where one of them is also asked for by its name", async () => {
    await assert.rejects(build(parts('this["_privateMember"]')), /_privateMember is shortened, and stands in quotes, too$/);
  });
});

describe("the budgets", () => {
  it("refuse an entry over 30 KB, its static imports included", async () => {
    const noise = Array.from({ length: 12_000 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 0).toString(36)).join("");
    const parts = { "static/js/main.tsx": 'import { noise } from "./noise.ts"; console.log(noise);', "static/js/noise.ts": `export const noise = "${noise}";` };
    await assert.rejects(build(parts), /^Error: main-\w+\.js: \d+ bytes gz with its static imports, the budget is 30720$/);
  });

  it("refuse posthog-js in an entry, also in a chunk the entry imports", async () => {
    const parts = {
      ...PACKAGE,
      "static/js/main.tsx": 'import posthog from "posthog-js"; console.log(posthog); void import("./later.ts");',
      "static/js/later.ts": 'import posthog from "posthog-js"; console.log(posthog);',
    };
    await assert.rejects(build(parts), /^Error: \w+\.js: posthog-js is loaded with the entry; import it dynamically$/);
  });
});
