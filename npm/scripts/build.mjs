// Builds the package into dist/: Rust → wasm (wasm-pack), smaller wasm (wasm-opt), TypeScript → JavaScript and typings.
// Nothing is downloaded; what is missing is named.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const npm = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(npm);
const dist = join(npm, 'dist');
const pkg = join(npm, 'pkg');
const require = createRequire(import.meta.url);

function step(text) {
  console.log(`multistream-client: ${text}`);
}

/** Returns what the command has said, if `stdout` is `pipe`. */
function run(command, args, missing, stdout = 'inherit') {
  const stdio = ['inherit', stdout, 'inherit'];
  const { status, error, stdout: said } = spawnSync(command, args, { cwd: npm, stdio, encoding: 'utf8' });
  if (error?.code === 'ENOENT') {
    console.error(`${command} is missing: ${missing}`);
    process.exit(1);
  }
  if (status !== 0) process.exit(status ?? 1);
  return said;
}

/** A command-line tool that an npm package ships, run by this Node on any platform. */
function runPackaged(name, bin, args, stdout) {
  const manifest = require.resolve(`${name}/package.json`);
  const relative = JSON.parse(readFileSync(manifest, 'utf8')).bin[bin];
  return run(process.execPath, [join(dirname(manifest), relative), ...args], 'run npm install first', stdout);
}

/**
 * wasm-bindgen's glue keeps one instance in variables of its module, for good. As a function it makes as many as are needed:
 * an instance that crashed is replaced by a new one (src/wasm/guard.ts). wasm-bindgen has an option for that which wasm-pack
 * cannot pass on.
 */
function perInstance(glue) {
  const edits = [
    ['export { initSync, __wbg_init as default };', 'return { init: __wbg_init, Core, fetchStreams };'],
    ['export class Core ', 'class Core '],
    ['export function fetchStreams(', 'function fetchStreams('],
    ['export function start(', 'function start('],
    ['    wasm = instance.exports;', '    wasm = guard.exports(instance.exports);'],
    ['    const imports = __wbg_get_imports();', '    const imports = guard.imports(__wbg_get_imports());'],
  ];
  let body = glue;
  for (const [from, to] of edits) {
    if (!body.includes(from)) stop(`the glue of this wasm-bindgen has no "${from}": adapt perInstance()`);
    body = body.replaceAll(from, to);
  }
  if (/^(export|import) /m.test(body)) stop('the glue exports or imports more than perInstance() knows');
  return `export function makeGlue(guard) {\n${body}}\n`;
}

/**
 * The glue with the short names that wasm-opt has given to what the module imports and exports. Those of wasm-bindgen stand in
 * both files and contain hashes, which do not compress.
 */
function renamed(glue, { imports, exports }) {
  const unused = new Map(imports.map(([, name, short]) => [name, short]));
  const shortened = glue.replace(/^( {8})(\w+)(?=: function)/gm, (whole, indent, name) => {
    const short = unused.get(name);
    unused.delete(name);
    return short === undefined ? whole : indent + short;
  });
  if (unused.size > 0) stop(`the glue of this wasm-bindgen has no "${[...unused.keys()]}": adapt renamed()`);
  const short = new Map(exports);
  return (
    shortened
      // The one name that wasm-opt gives to every module that is imported from.
      .replaceAll('./glue_bg.js', 'a')
      .replace(/(?<=\bwasm\.)\w+/g, (name) => short.get(name) ?? stop(`the module has no export "${name}"`))
  );
}

function stop(message) {
  console.error(`multistream-client: ${message}`);
  process.exit(1);
}

step('Rust → WebAssembly (wasm-pack)');
const crate = join(root, 'client-wasm');
run(
  'wasm-pack',
  [
    'build',
    crate,
    '--target',
    'web',
    '--profile',
    'wasm',
    '--no-pack',
    '--no-opt',
    '--no-typescript',
    '--mode',
    'no-install',
    '--out-dir',
    pkg,
    '--out-name',
    'glue',
  ],
  'cargo install wasm-pack@0.15.1 wasm-bindgen-cli@0.2.130',
);

rmSync(dist, { recursive: true, force: true });
mkdirSync(join(dist, 'wasm'), { recursive: true });

step('smaller WebAssembly (wasm-opt)');
const wasm = join(dist, 'client.wasm');
// Named features only: --all-features makes modules that no browser accepts.
const features = [
  'bulk-memory',
  'mutable-globals',
  'nontrapping-float-to-int',
  'sign-ext',
  'reference-types',
  'multivalue',
];
const names = runPackaged(
  'binaryen',
  'wasm-opt',
  [
    join(pkg, 'glue_bg.wasm'),
    '-o',
    wasm,
    // Larger than by -Oz, but smaller once it is compressed; docs/decisions/wasm-with-std.md has what else was tried.
    '-Os',
    '--flatten',
    '--rereloop',
    '-Os',
    '-Os',
    '--strip-debug',
    '--strip-producers',
    '--strip-target-features',
    '--minify-imports-and-exports-and-modules',
    ...features.map((feature) => `--enable-${feature}`),
  ],
  'pipe',
);

step('its glue, once per instance');
const glue = renamed(perInstance(readFileSync(join(pkg, 'glue.js'), 'utf8')), JSON.parse(names));
writeFileSync(join(dist, 'wasm/glue.js'), glue);

step('the module as text, for ./inline');
const base64 = readFileSync(wasm).toString('base64');
writeFileSync(
  join(dist, 'wasm/bytes.js'),
  `// client.wasm in base64.\nexport const wasmBase64 = '${base64}';\n`,
);

step('TypeScript → JavaScript and typings (tsc)');
runPackaged('typescript', 'tsc', ['-p', npm]);
for (const file of ['LICENSE-MIT', 'LICENSE-APACHE', 'CHANGELOG.md'])
  copyFileSync(join(root, file), join(npm, file));

const kib = (file) =>
  `${file} ${(gzipSync(readFileSync(join(dist, file)), { level: 9 }).length / 1024).toFixed(1)} KiB`;
step(
  `done: ${statSync(wasm).size} bytes of wasm; gzip: ${['client.wasm', 'wasm/glue.js', 'client.js', 'index.js'].map(kib).join(', ')}`,
);
