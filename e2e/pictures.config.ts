// The configuration for `npm run pictures`, which takes the documentation's screenshots instead of testing.
import config from '../playwright.config';

export default {
  ...config,
  projects: undefined,
  testDir: '.',
  testMatch: 'pictures.ts',
  outputDir: 'results',
};
