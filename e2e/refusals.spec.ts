// Tests what a connection that cannot be made is told to be, for each cause, and that what cannot pass is not tried again.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { freePort, repository } from './child';
import { expect, test } from './fixtures';
import { packageHost, securePackageHost } from './package-host';
import { connect, open, POLICIES } from './refused';

const STREAMS = { camera1: 'rtsp://127.0.0.1:1/' };
test('nothing listens at the port: unreachable, and tried again', async ({ page }) => {
  await open(page);
  const url = `http://127.0.0.1:${await freePort()}`;
  const { told, retried } = await connect(page, `${url}/?token=secret`);
  expect({ ...told, retried }).toMatchObject({
    code: 'unreachable',
    fatal: false,
    url: `${url}/`,
    retried: true,
  });
  expect(told.message).toContain(`Nothing answers at ${url}`);
  expect(told.cause).toContain('TypeError');
  expect(JSON.stringify(told)).not.toContain('secret');
});

test('a web server without the API: unreachable', async ({ page }) => {
  const other = createServer((_, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
  await once(other, 'listening');
  try {
    await open(page);
    const { told } = await connect(page, `http://127.0.0.1:${(other.address() as AddressInfo).port}`);
    expect(told).toMatchObject({ code: 'unreachable', fatal: false });
    expect(told.message).toContain('no Multistream server');
  } finally {
    other.close();
  }
  // Of its own web server a page learns the status.
  const { told } = await connect(page, await packageHost());
  expect(told.code).toBe('unreachable');
  expect(told.message).toContain('the answer is 404');
});

test('https where the server speaks http: unreachable, with the address that answers', async ({
  page,
  serve,
}) => {
  const server = await serve({ streams: STREAMS });
  await open(page);
  const { told } = await connect(page, server.url.replace('http', 'https'));
  expect(told.code).toBe('unreachable');
  expect(told.message).toContain(`but ${server.url} does`);
});

test('a token that the server does not know: unauthorized, and not tried again', async ({ page, serve }) => {
  const server = await serve({ streams: STREAMS, api: { token: 'sesame-of-the-tests' } });
  await open(page);
  for (const token of [undefined, 'wrong-secret']) {
    const { told, retried } = await connect(page, server.url, token === undefined ? {} : { token });
    expect({ ...told, retried }).toMatchObject({ code: 'unauthorized', fatal: true, retried: false });
    expect(told.cause).toContain('401');
    expect(JSON.stringify(told)).not.toContain('wrong-secret');
  }
});

test('an origin that the server does not let in: origin-refused, and not tried again', async ({
  page,
  serve,
}) => {
  const server = await serve({ streams: STREAMS, api: { origin: [] } });
  await open(page);
  const { told, retried } = await connect(page, server.url);
  expect({ ...told, retried }).toMatchObject({ code: 'origin-refused', fatal: true, retried: false });
  expect(told.message).toContain(await packageHost());
});

for (const [what, policy, forbids] of POLICIES) {
  test(`a Content-Security-Policy that forbids ${what}: csp-blocked, and not tried again`, async ({
    page,
    serve,
  }) => {
    const server = await serve({ streams: STREAMS });
    await open(page, policy(await packageHost(), server.url));
    const { told, retried } = await connect(page, server.url);
    expect({ ...told, retried }).toMatchObject({ code: 'csp-blocked', fatal: true, retried: false });
    expect(told.message).toContain(forbids);
  });
}

test('the documented Content-Security-Policy lets the client connect', async ({ page, serve }) => {
  const text = readFileSync(join(repository, 'docs/npm.md'), 'utf8');
  const policy = /^Content-Security-Policy: (.*)$/m.exec(text)?.[1] ?? '';
  const server = await serve({ streams: STREAMS });
  await open(page, policy.replaceAll('s://device.example.com', server.url.slice('http'.length)));
  await expect(connect(page, server.url)).rejects.toThrow('it is connected');
});

test.describe('in a page over TLS', () => {
  test.use({ ignoreHTTPSErrors: true });

  test('a server without it: mixed-content, and not tried again', async ({ page }) => {
    const pem = execFileSync('openssl', [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'],
      ...['-subj', '/CN=localhost', '-days', '1', '-keyout', '-', '-out', '-'],
    ]);
    await page.goto(await securePackageHost(String(pem)));
    const { told, retried } = await connect(page, 'http://device.test:1984');
    expect({ ...told, retried }).toMatchObject({ code: 'mixed-content', fatal: true, retried: false });
    expect(told.message).toContain('device.test:1984');
  });
});

for (const [what, code, remove] of [
  ['WebRTC', 'no-webrtc', () => Reflect.deleteProperty(globalThis, 'RTCPeerConnection')],
  ['WebAssembly', 'no-wasm', () => Reflect.deleteProperty(globalThis, 'WebAssembly')],
] as const) {
  test(`a browser without ${what}: ${code}, and not tried again`, async ({ page, serve }) => {
    const server = await serve({ streams: STREAMS });
    await page.addInitScript(remove);
    await open(page);
    const { told, retried } = await connect(page, server.url);
    expect({ ...told, retried }).toMatchObject({ code, fatal: true, retried: false });
    expect(told.message).toContain(what);
  });
}

test('a server whose pictures have no way to the browser: media-unreachable, and tried again', async ({
  page,
  serve,
}) => {
  const server = await serve({ streams: STREAMS });
  await open(page);
  // Without a relay there is none.
  const pcConfig = { iceTransportPolicy: 'relay' } as const;
  const { told, retried } = await connect(page, server.url, { pcConfig, connectionTimeout: 3_000 });
  expect({ ...told, retried }).toMatchObject({ code: 'media-unreachable', fatal: false, retried: true });
});
