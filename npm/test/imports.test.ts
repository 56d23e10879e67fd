// Tests that the files of the package and of the page have no import cycles, and that the page's folders import downwards.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
/** The page's folders, the highest first; those of one row do not import each other. */
const LAYERS = [['pages'], ['wall'], ['tile'], ['cameras', 'stats'], ['api', 'ui']];

/** Each file with the files that it imports, types included. */
function imports(folder: string): Map<string, string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.tsx?$/.test(file) && !file.endsWith('.d.ts'))
    .map((file) => join(folder, file));
  return new Map(files.map((file) => [file, importsOf(file)]));
}

function importsOf(file: string): string[] {
  const named = readFileSync(file, 'utf8').matchAll(/(?:from|import) '(\.[^']+)'/g);
  return [...named].flatMap(([, path = '']) => {
    const target = resolve(dirname(file), path.replace(/\.js$/, ''));
    return ['.ts', '.tsx'].map((ending) => target + ending).filter(exists);
  });
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** The first cycle that a depth-first walk from `file` finds, as the files along it. */
function circle(
  graph: Map<string, string[]>,
  file: string,
  way: string[],
  done: Set<string>,
): string[] | undefined {
  if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
  if (done.has(file)) return undefined;
  for (const next of graph.get(file) ?? []) {
    const found = circle(graph, next, [...way, file], done);
    if (found) return found;
  }
  done.add(file);
  return undefined;
}

test.each(['npm/src', 'www/src'])('the files of %s have no import cycle', (folder) => {
  const graph = imports(join(root, folder));
  expect(graph.size).toBeGreaterThan(15);
  expect([...graph.values()].flat().length).toBeGreaterThan(30);
  const done = new Set<string>();
  const circles = [...graph.keys()].map((file) => circle(graph, file, [], done));
  expect(circles.filter(Boolean).map((found) => found?.map((file) => relative(root, file)))).toEqual([]);
});

test('the folders of the page import downwards only', () => {
  const page = join(root, 'www/src');
  const folder = (file: string) => relative(page, file).split('/')[0] ?? '';
  const layer = (file: string) => LAYERS.findIndex((row) => row.includes(folder(file)));
  for (const [file, imported] of imports(page)) {
    if (layer(file) < 0) continue;
    for (const target of imported) {
      const allowed = folder(file) === folder(target) || layer(target) > layer(file);
      expect(allowed, `${relative(page, file)} imports ${relative(page, target)}`).toBe(true);
    }
  }
});
