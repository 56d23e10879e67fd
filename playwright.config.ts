// The end-to-end tests: Debian's Chromium, and its Firefox for the main paths, against the real server and real RTSP cameras.
import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: 'e2e',
  testMatch: '**/*.spec.ts',
  outputDir: 'e2e/results',
  reporter: [['list']],
  // One test at a time: decoders and transcoders share the cores with the browser.
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: true,
  projects: [
    { name: 'chromium', testIgnore: '**/e2e/firefox/**' },
    { name: 'firefox', testDir: 'e2e/firefox' },
  ],
  // Without the project's name, since only Chromium's pictures are compared.
  snapshotPathTemplate: '{testDir}/{testFilePath}-snapshots/{arg}-{platform}{ext}',
  use: {
    viewport: { width: 1280, height: 800 },
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: '/usr/bin/chromium',
      args: [
        '--no-sandbox', // Chromium refuses to run as root without it
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
