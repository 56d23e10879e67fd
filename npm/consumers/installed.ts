// The packed tarball, as npm would install it into each of the apps of this folder.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const packageFolder = join(here, '..');

export class Installed {
  private constructor(private readonly folder: string) {}

  /** Packs the built package once for all. */
  static pack(): Installed {
    // The folder is inside the repository: bundlers find each other, and their lock file, in the folders above the app.
    mkdirSync(join(here, '.scratch'), { recursive: true });
    const folder = mkdtempSync(join(here, '.scratch/'));
    execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: packageFolder });
    return new Installed(folder);
  }

  /** A copy of the app in `consumers/name`, with the package. Returns its folder. */
  app(name: string, as = name): string {
    const tarball = readdirSync(this.folder).find((file) => file.endsWith('.tgz'));
    if (!tarball) throw new Error('npm pack made no tarball');
    const app = join(this.folder, as);
    const installed = join(app, 'node_modules/multistream-client');
    cpSync(join(here, name), app, { recursive: true });
    // Without a package.json of its own the app would be part of our package, and import that instead of the tarball.
    writeFileSync(join(app, 'package.json'), '{ "private": true, "type": "module" }');
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(this.folder, tarball), '-C', installed, '--strip-components=1']);
    return app;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
