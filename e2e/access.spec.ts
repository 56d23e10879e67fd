// Tests that a viewer with signed tokens, each valid for some seconds, goes on without noticing, and loses what it may no longer see.
import { createHmac } from 'node:crypto';
import { expect, rtspStreams, test } from './fixtures';

const SECRET = 'a-secret-of-the-tests-with-more-than-32-bytes';

/** A JSON Web Token for these streams. */
function sign(streams: string[], validMs: number): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256' })}.${part({ exp: (Date.now() + validMs) / 1000, streams })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

test('tokens are renewed on the connection that there is, and one for less takes pictures away', async ({
  cameras,
  serve,
  openWall,
}) => {
  const api = { view_keys: [{ secret: SECRET }] };
  const server = await serve({ streams: rtspStreams(cameras, 3), api });
  const wall = await openWall(server);
  let [streams, asked] = [['camera1', 'camera2'], 0];
  await wall.page.exposeFunction('askToken', () => {
    asked += 1;
    return sign(streams, 5_000);
  });
  await wall.play(1, 2);
  await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(2);
  await wall.switch(0, 'camera2');
  await wall.expectCamera(0, 2);
  expect(await wall.events()).not.toContain('reconnecting');
  const refused = await wall.page.evaluate(() =>
    window.e2e.client?.switchStream(0, 'camera3').then(String, ({ code }) => code),
  );
  expect(refused).toBe('unknown-stream');

  streams = ['camera2'];
  const failed = () => wall.page.evaluate(() => window.e2e.statuses.get(0)?.at(-1)?.reason);
  await wall.switch(1, 'camera2');
  streams = ['camera1'];
  await expect.poll(failed, { timeout: 10_000 }).toBe('unknown-stream');
  expect(await wall.events()).not.toContain('reconnecting');
});

test('a viewer whose token has expired is back as soon as there is another', async ({
  cameras,
  serve,
  openWall,
}) => {
  const api = { view_keys: [{ secret: SECRET }] };
  const server = await serve({ streams: rtspStreams(cameras, 2), api });
  const wall = await openWall(server);
  let answers = true;
  await wall.page.exposeFunction('askToken', () => {
    if (!answers) throw new Error('nobody is there');
    return sign(['*'], 3_000);
  });
  await wall.play(1);
  answers = false;
  // Its end is known to the server alone until something is asked of it.
  await wall.page.waitForTimeout(4_000);
  await wall.page.evaluate(() => window.e2e.client?.switchStream(0, 'camera2').catch(() => {}));
  await expect.poll(() => wall.events(), { timeout: 10_000 }).toContain('reconnecting');
  answers = true;
  await expect.poll(() => wall.events(), { timeout: 20_000 }).toContain('reconnected');
  await wall.switch(0, 'camera2');
  await wall.expectCamera(0, 2);
});
