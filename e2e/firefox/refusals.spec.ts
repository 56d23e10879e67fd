// Tests in Firefox what a connection that cannot be made is told to be: browsers differ in what they say of it.
import { freePort } from '../child';
import { expect } from '../fixtures';
import { packageHost } from '../package-host';
import { connect, open, POLICIES } from '../refused';
import { test } from './fixtures';

const STREAMS = { camera1: 'rtsp://127.0.0.1:1/' };

test('each cause has its code, and what cannot pass is not tried again', async ({ tab, serve }) => {
  const locked = await serve({ streams: STREAMS, api: { token: 'sesame-of-the-tests' } });
  const strange = await serve({ streams: STREAMS, api: { origin: [] } });
  await open(tab);
  for (const [code, url] of [
    ['unreachable', `http://127.0.0.1:${await freePort()}`],
    ['unreachable', await packageHost()],
    ['unreachable', strange.url.replace('http', 'https')],
    ['unauthorized', locked.url],
    ['origin-refused', strange.url],
  ] as const) {
    const { told, retried } = await connect(tab, url);
    const isFatal = code !== 'unreachable';
    expect({ ...told, retried }, url).toMatchObject({ code, fatal: isFatal, retried: !isFatal });
  }
});

test('what the Content-Security-Policy forbids is named', async ({ tab, serve }) => {
  const server = await serve({ streams: STREAMS });
  for (const [what, policy, forbids] of POLICIES) {
    await open(tab, policy(await packageHost(), server.url));
    const { told, retried } = await connect(tab, server.url, { token: 'a-token' });
    expect({ ...told, retried }, what).toMatchObject({ code: 'csp-blocked', fatal: true, retried: false });
    expect(told.message, what).toContain(forbids);
    expect(JSON.stringify(told), what).not.toContain('a-token');
  }
});
