// Reads the code blocks of the documentation.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = fileURLToPath(new URL('../..', import.meta.url));

export interface Excerpt {
  /** `docs/npm.md:12` */
  place: string;
  language: string;
  code: string;
}

/** All code blocks of a file, e.g. `docs/npm.md`. */
export function excerpts(file: string): Excerpt[] {
  const text = readFileSync(join(repository, file), 'utf8');
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(({ 1: language = '', 2: code = '', index }) => ({
    place: `${file}:${text.slice(0, index).split('\n').length + 1}`,
    language,
    code,
  }));
}

/** The first code block in this language. */
export function excerpt(file: string, language: string): string {
  const found = excerpts(file).find((excerpt) => excerpt.language === language);
  if (found === undefined) throw new Error(`${file} has no code in ${language}`);
  return found.code;
}
