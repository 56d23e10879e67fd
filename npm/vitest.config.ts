// Tests of the built package: `npm run build` comes first.
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['test/**/*.test.ts', 'consumers/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
});
