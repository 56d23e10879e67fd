// Starts Debian's Firefox, driven by puppeteer over WebDriver BiDi: Playwright drives only a Firefox build of its own.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, launch } from 'puppeteer-core';

const EXECUTABLE = '/usr/bin/firefox-esr';

export interface Firefox {
  browser: Browser;
  stop(): Promise<void>;
}

export async function startFirefox(): Promise<Firefox> {
  const folder = mkdtempSync(join(tmpdir(), 'multistream-firefox-'));
  const browser = await launch({
    browser: 'firefox',
    executablePath: EXECUTABLE,
    headless: true,
    env: { ...process.env, MOZ_GMP_PATH: offerH264(folder) },
    extraPrefsFirefox: {
      'app.update.enabled': false,
      // A page's video starts by itself when it is muted, as in a fresh profile.
      'media.autoplay.default': 1,
    },
  });
  return {
    browser,
    async stop() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/**
 * Makes a plugin folder that lets Firefox offer H.264. It offers the codec only once Cisco's OpenH264 plugin is there, which it
 * downloads some minutes after its first start. It decodes with libavcodec all the same, so an empty plugin is enough.
 */
function offerH264(folder: string): string {
  const plugin = join(folder, 'gmp-gmpopenh264', 'system');
  mkdirSync(plugin, { recursive: true });
  writeFileSync(join(plugin, 'libgmpopenh264.so'), '');
  const lines = [
    'Name: gmpopenh264',
    'Description: offers H.264',
    'Version: 2.6.0',
    'APIs: encode-video[h264], decode-video[h264]',
  ];
  writeFileSync(join(plugin, 'gmpopenh264.info'), `${lines.join('\n')}\n`);
  return plugin;
}
