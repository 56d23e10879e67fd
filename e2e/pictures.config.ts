// Takes the documentation's pictures instead of testing: `npm run pictures`.
import config from '../playwright.config';

export default { ...config, testDir: '.', testMatch: 'pictures.ts', outputDir: 'results' };
