// Builds the component: build/skill.wasm. Needs Node.js 20 or newer; what else it needs comes from npm into node_modules, as
// package-lock.json says.
//
//   node build.mjs

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(dirname(fileURLToPath(import.meta.url)));
if (Number(process.versions.node.split('.')[0]) < 20) stop(`Node.js 20 or newer is needed, and this is ${process.versions.node}`);

const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
const stamp = 'node_modules/.made-for';
if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  run('npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error');
  writeFileSync(stamp, lock);
}
mkdirSync('build', { recursive: true });

// One module of all that the skill is made of; the host's interfaces stay imports. TypeScript can be bundled as well: src/skill.ts.
const source = existsSync('src/skill.ts') ? 'src/skill.ts' : 'src/skill.js';
const interfaces = ['--external:wasi:*', '--external:skillhall:*'];
tool('esbuild/bin/esbuild', source, '--bundle', '--format=esm', '--log-level=warning', ...interfaces, '--outfile=build/skill.js');

rmSync('build/types', { recursive: true, force: true });
tool('@bytecodealliance/jco/src/jco.js', 'guest-types', 'wit', '--world-name', 'skill', '--quiet', '-o', 'build/types');

// What was built of the same files is not built again.
const component = 'build/skill.wasm';
const made = createHash('sha256').update(lock);
for (const file of ['build.mjs', 'build/skill.js', ...within('wit')]) made.update(`${file}\0`).update(readFileSync(file)).update('\0');
const digest = made.digest('hex');
const madeOf = 'build/skill.made-of';
if (!existsSync(component) || !existsSync(madeOf) || readFileSync(madeOf, 'utf8') !== digest) {
  rmSync(madeOf, { force: true });
  // The engine's clocks, random numbers and stderr are everybody's. Its own requests and files would need powers that skill.toml does not
  // ask for: a request goes through src/skillhall/http.js, whose interface the world names.
  const without = ['--disable', 'stdio', 'http', 'fetch-event'];
  tool('@bytecodealliance/componentize-js/src/cli.js', 'build/skill.js', '--wit', 'wit', '-n', 'skill', '-o', component, ...without);
  writeFileSync(madeOf, digest);
}

// The engine miscarries two kinds of results (https://github.com/bytecodealliance/ComponentizeJS/issues/343).
const own = within('wit').filter((file) => !file.startsWith('wit/deps/')).map((file) => readFileSync(file, 'utf8').replace(/\/\/.*|\/\*[^]*?\*\//g, '')).join('\n');
const aliases = Object.fromEntries([...own.matchAll(/\btype\s+([\w%-]+)\s*=\s*(u32|s64)\s*;/g)].map(([, name, type]) => [name, type]));
for (const [, name, given] of own.matchAll(/([\w%-]+)\s*:\s*func\s*\([^)]*\)\s*->\s*([\w%-]+)\s*;/g)) {
  const type = Object.hasOwn(aliases, given) ? aliases[given] : given;
  if (type === 'u32') console.error(`note: ${name} gives a u32 by itself: from 2147483648 on it arrives as another number; give an s32 or u64, or a record with it`);
  if (type === 's64') console.error(`note: ${name} gives an s64 by itself: a negative one ends the call with a trap; give an s32 or f64, or a record with it`);
}

function within(folder) {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  return names.filter((entry) => entry.isFile()).map((entry) => `${entry.parentPath ?? entry.path}/${entry.name}`).sort();
}

function tool(path, ...given) {
  run(process.execPath, `node_modules/${path}`, ...given);
}

function run(command, ...given) {
  const { status, error } = spawnSync(command, given, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) stop(`${command} cannot be started (${error.code}): install Node.js 20 or newer with npm`);
  if (status !== 0) stop(`${given[0]} failed (${status})`);
}

function stop(why) {
  console.error(why);
  process.exit(1);
}
