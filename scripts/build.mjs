// Bundles static/js and static/css into static/dist: hashed names, precompressed, within their budgets.
// Writes static/dist/manifest.json, from which the server knows what the shell needs and what may be served:
// {entry: {js, css, imports: []}, fleet?: {js, css, imports: []}, routes: {route: []}, files: []}.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import zlib from "node:zlib";

import { build } from "esbuild";

const ENTRY_BUDGET = 30 * 1024;
// Blocklists match these words inside paths.
const BLOCKED = /posthog|analytics|telemetry|tracking|collect|ingest/i;
// posthog-js's private members: their names are a thirtieth of what telemetry weighs.
export const SHORTENED = {
  mangleProps: /^_[a-z]+[A-Z]\w{3,}$/,
  reserveProps: /^_forceAllowLocalhost/, // stands in quotes, too
};
const COMPRESSED = /\.(?:js|css|svg|json)$/;

const brotli = promisify(zlib.brotliCompress);
const gzip = promisify(zlib.gzip);

/** Bundles below `root` into `dist`; returns the manifest. Throws an `Error` that says which budget is broken. */
export async function bundle({ root, dist, maps }) {
  const platform = { main: "static/js/main.tsx", style: "static/css/main.css" };
  const parts = [await bundled({ root, dist, entries: platform, plugins: [startedByEntry(root, platform.main)] })];
  // The collector's page is served elsewhere: bundled by itself, it loads nothing of the platform and splits nothing there.
  const fleet = present(root, { fleet: "static/js/fleet.tsx", "fleet-style": "static/css/fleet.css" });
  if (fleet.fleet) parts.push(await bundled({ root, dist, entries: fleet, plugins: [] }));
  const metafile = { inputs: {}, outputs: {} };
  for (const part of parts) {
    Object.assign(metafile.inputs, part.metafile.inputs);
    Object.assign(metafile.outputs, part.metafile.outputs);
  }
  await checkShortened(root, metafile, parts);
  const outputs = relativeOutputs(metafile, root, dist);
  const files = parts.flatMap((part) => part.outputFiles);
  const contents = new Map(files.map((file) => [path.relative(dist, file.path), file.contents]));
  leaveOutDoors(outputs, contents);
  const manifest = describe(outputs, { ...platform, ...fleet });
  await checkBudgets(manifest, outputs, contents);
  await write({ root, dist, maps, manifest, contents, metafile });
  return manifest;
}

function present(root, entries) {
  return Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(path.join(root, file))));
}

function bundled({ root, dist, entries, plugins }) {
  return build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir: dist,
    entryNames: "[name]-[hash]",
    chunkNames: "[hash]",
    assetNames: "[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    sourcemap: "external",
    legalComments: "none",
    jsx: "automatic",
    jsxImportSource: "preact",
    plugins,
    ...SHORTENED,
    mangleCache: {},
    define: { "process.env.NODE_ENV": '"production"' },
    loader: { ".svg": "file", ".woff2": "file" },
    metafile: true,
    write: false,
    logLevel: "warning",
  });
}

// A module of ours that is imported later starts by importing the entry, which is there already. So whatever the entry
// is made of belongs to all of them alike and comes in one file, where the bundler would make a chunk for each set of
// modules that share importers; core.ts names what else stands in it.
function startedByEntry(root, main) {
  const entry = path.join(root, main);
  return {
    name: "started-by-entry",
    setup(bundler) {
      const later = new Set();
      bundler.onResolve({ filter: /^\.\.?\// }, ({ kind, path: target, resolveDir }) => {
        if (kind === "dynamic-import") later.add(path.join(resolveDir, target));
        return undefined;
      });
      bundler.onLoad({ filter: /\.tsx?$/ }, async ({ path: file }) => {
        if (!later.has(file)) return undefined;
        const text = await readFile(file, "utf8");
        return { contents: `import ${JSON.stringify(entry)};${text}`, loader: file.endsWith("x") ? "tsx" : "ts" };
      });
    },
  };
}

function relativeOutputs(metafile, root, dist) {
  const name = (file) => path.relative(dist, path.resolve(root, file));
  return new Map(
    Object.entries(metafile.outputs)
      .filter(([file]) => !file.endsWith(".map"))
      .map(([file, output]) => [
        name(file),
        {
          entryPoint: output.entryPoint,
          exports: output.exports,
          inputs: Object.keys(output.inputs),
          imports: output.imports.filter((one) => one.kind === "import-statement").map((one) => name(one.path)),
        },
      ]),
  );
}

/** A name that is shortened where it is a member has to be one everywhere. */
async function checkShortened(root, metafile, parts) {
  const names = new Set(parts.flatMap((part) => Object.keys(part.mangleCache)));
  if (names.size === 0) return;
  for (const input of Object.keys(metafile.inputs)) {
    const text = existsSync(path.join(root, input)) ? await readFile(path.join(root, input), "utf8") : "";
    for (const [, name] of text.matchAll(/["'`](_\w+)["'`]/g)) {
      if (names.has(name)) throw new Error(`${input}: ${name} is shortened, and stands in quotes, too`);
    }
  }
}

// An entry that others import, too, becomes a file that only imports another: a request for nothing.
function leaveOutDoors(outputs, contents) {
  for (const [file, { entryPoint, inputs, imports }] of outputs) {
    if (!entryPoint || inputs.length > 0 || imports.length !== 1) continue;
    outputs.get(imports[0]).entryPoint = entryPoint;
    outputs.delete(file);
    contents.delete(file);
    contents.delete(`${file}.map`);
  }
}

function describe(outputs, entries) {
  const outputOf = (source) => [...outputs].find(([, output]) => output.entryPoint === source)?.[0];
  const entry = (source, style) => ({
    js: outputOf(source),
    css: outputOf(style),
    imports: closure(outputs, outputOf(source)).slice(1),
  });
  const main = entry(entries.main, entries.style);
  const loaded = new Set([main.js, ...main.imports]);
  const routes = {};
  for (const [file, { entryPoint, exports }] of outputs) {
    if (!entryPoint?.startsWith("static/js/pages/")) continue;
    for (const route of exports) routes[route] = closure(outputs, file).filter((one) => !loaded.has(one));
  }
  const files = [...outputs.keys()].sort();
  return { entry: main, ...(entries.fleet && { fleet: entry(entries.fleet, entries["fleet-style"] ?? entries.style) }), routes, files };
}

/** A file and everything it imports statically, itself first. */
function closure(outputs, file, found = []) {
  if (found.includes(file)) return found;
  found.push(file);
  for (const next of outputs.get(file).imports) closure(outputs, next, found);
  return found;
}

async function checkBudgets(manifest, outputs, contents) {
  const unfit = manifest.files.find((file) => BLOCKED.test(file));
  if (unfit) throw new Error(`${unfit}: blocklists match this name`);
  for (const entry of [manifest.entry, manifest.fleet].filter(Boolean)) {
    const files = [entry.js, ...entry.imports];
    const intruder = files.find((file) => outputs.get(file).inputs.some((input) => input.includes("node_modules/posthog-js/")));
    if (intruder) throw new Error(`${entry.js}: posthog-js is loaded with the entry; import it dynamically`);
    const sizes = await Promise.all(files.map(async (file) => (await gzip(contents.get(file), { level: 9 })).length));
    entry.gzip = sizes.reduce((sum, size) => sum + size, 0);
    if (entry.gzip > ENTRY_BUDGET) {
      throw new Error(`${entry.js}: ${entry.gzip} bytes gz with its static imports, the budget is ${ENTRY_BUDGET}`);
    }
  }
}

// What is new is written before what is old goes, and the manifest changes in one step: a running server never sees
// a half-written build. Names carry their content's hash, so what is there already is right.
async function write({ root, dist, maps, manifest, contents, metafile }) {
  await mkdir(dist, { recursive: true });
  await mkdir(maps, { recursive: true });
  const kept = new Set(["manifest.json", "LICENSES.txt"]);
  const present = new Set(await readdir(dist));
  await Promise.all([...contents].map(([file, bytes]) => {
    if (file.endsWith(".map")) return writeFile(path.join(maps, file), bytes);
    const names = COMPRESSED.test(file) ? [file, `${file}.br`, `${file}.gz`] : [file];
    for (const name of names) kept.add(name);
    return names.every((name) => present.has(name)) ? undefined : writeCompressed(path.join(dist, file), bytes, names.length > 1);
  }));
  await writeFile(path.join(dist, "LICENSES.txt"), await licenses(root, metafile));
  await replaceFile(path.join(dist, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  await Promise.all([...present].filter((file) => !kept.has(file)).map((file) => rm(path.join(dist, file), { recursive: true })));
}

async function writeCompressed(file, bytes, compressed) {
  const tasks = [replaceFile(file, bytes)];
  if (compressed) {
    const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
    tasks.push(brotli(bytes, { params }).then((small) => replaceFile(`${file}.br`, small)));
    tasks.push(gzip(bytes, { level: 9 }).then((small) => replaceFile(`${file}.gz`, small)));
  }
  await Promise.all(tasks);
}

async function replaceFile(file, bytes) {
  await writeFile(`${file}.new`, bytes);
  await rename(`${file}.new`, file);
}

/** The licences of the packages that the bundle carries. */
async function licenses(root, metafile) {
  const names = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(input);
    if (found) names.add(found[1]);
  }
  const texts = [...names].sort().map(async (name) => {
    const home = path.join(root, "node_modules", name);
    const { version, license } = JSON.parse(await readFile(path.join(home, "package.json"), "utf8"));
    const file = (await readdir(home)).find((one) => /^licen[sc]e/i.test(one));
    const text = file ? await readFile(path.join(home, file), "utf8") : "";
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join(`\n${"-".repeat(80)}\n\n`);
}

async function main() {
  const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
  const started = performance.now();
  const manifest = await bundle({ root, dist: path.join(root, "static/dist"), maps: path.join(root, ".make/maps") });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`Built ${manifest.files.length} files in ${seconds} s; entry ${(manifest.entry.gzip / 1024).toFixed(1)} KB gz`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error) => {
    console.error(`build: ${error.message}`);
    process.exitCode = 1;
  });
}
