// The pages that the server embeds. Their addresses are relative, so that they work behind any base path.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

// `vite dev` has no multistream server of its own: it proxies the API to a running one.
const server = process.env.MULTISTREAM ?? 'http://127.0.0.1:1984';

export default defineConfig({
  base: './',
  plugins: [react()],
  build: {
    // A .wasm file in a data: URL could not be compiled while it downloads.
    assetsInlineLimit: 0,
    rolldownOptions: { input: ['index.html', 'stream.html'] },
  },
  server: { proxy: { '/api': { target: server, ws: true } } },
});
