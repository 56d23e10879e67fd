// The pages the server embeds. Relative addresses, so that they work behind any base path.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `vite dev` has no server of its own behind it: it passes the API on to a running one.
const server = process.env.MULTISTREAM ?? 'http://127.0.0.1:1984';

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    // A .wasm in a data: URL could not be compiled while it is downloaded.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'stream.html'] },
  },
  server: { proxy: { '/api': { target: server, ws: true } } },
});
