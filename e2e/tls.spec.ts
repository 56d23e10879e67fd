// Tests a wall over TLS (`api.tls_listen`), with a certificate that the browser is told to accept.
import { execFileSync } from 'node:child_process';
import { freePort } from './child';
import { expect, rtspStreams, test } from './fixtures';
import { WallPage } from './page/wall-page';

test.use({ ignoreHTTPSErrors: true });

test('the page and its WebSocket come over TLS, with PEM text in the config', async ({
  cameras,
  serve,
  page,
}) => {
  // Key and certificate, one after the other: from the text each takes its own.
  const made = execFileSync('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
    ...['-subj', '/CN=localhost', '-days', '1', '-keyout', '-', '-out', '-'],
  ]);
  const port = await freePort();
  await serve({
    streams: rtspStreams(cameras, 1),
    api: { tls_listen: `127.0.0.1:${port}`, tls_cert: String(made), tls_key: String(made) },
  });
  const sockets: string[] = [];
  page.on('websocket', (socket) => sockets.push(socket.url()));
  const wall = await WallPage.open(page, { url: `https://localhost:${port}` }, '?layout=1');
  await wall.expectLive(0, 1);
  expect(sockets).toEqual([`wss://localhost:${port}/api/ws`]);
});
