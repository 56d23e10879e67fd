// Tests the form that asks for the server's token, on both pages.
import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, rtspStreams, test } from '../fixtures';

const TOKEN = 'a tökén & more';
const inAddress = encodeURIComponent(TOKEN);

const field = (page: Page) => page.getByLabel('Token', { exact: true });

/** Everything that the tab keeps and shows, where a token may be. */
function kept(page: Page): Promise<{ address: string; session: string[]; local: string[] }> {
  return page.evaluate(() => ({
    address: location.href,
    session: Object.values(sessionStorage),
    local: Object.values(localStorage),
  }));
}

test('the wall asks for the token, says when it is wrong, and keeps the right one for the tab', async ({
  cameras,
  serve,
  page,
  context,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1), api: { token: TOKEN } });
  await page.goto(`${server.url}/?layout=1`);
  await expect(field(page)).toBeFocused();
  await expect(field(page)).toHaveAttribute('autocomplete', 'current-password');
  await expect(page.getByRole('alert')).toBeEmpty();
  await page.keyboard.type('wrong');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('This is not the token of this server.');
  await expect(field(page)).toBeFocused();
  expect((await kept(page)).session).toEqual([]);
  for (const theme of ['dark', 'light']) {
    await page.evaluate((theme) => document.documentElement.setAttribute('data-theme', theme), theme);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
  }

  // The wrong one is selected, so that typing replaces it.
  await page.keyboard.type(TOKEN);
  await page.getByRole('button', { name: 'Open' }).click();
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  const { address, session, local } = await kept(page);
  expect(session).toEqual([TOKEN]);
  expect(address + local.join()).not.toContain('token');

  await page.reload();
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  const other = await context.newPage();
  await other.goto(server.url);
  await expect(field(other)).toBeVisible();
});

test('a token of the address is taken out of it, and one that is wrong is said to be', async ({
  cameras,
  serve,
  page,
}) => {
  const server = await serve({ streams: rtspStreams(cameras, 1), api: { token: TOKEN } });
  await page.goto(`${server.url}/?layout=1&token=${inAddress}&tour=60`);
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  const query = new URL(page.url()).searchParams;
  expect([query.has('token'), query.get('layout'), query.get('tour')]).toEqual([false, '1', '60']);
  expect((await kept(page)).session).toEqual([TOKEN]);

  await page.goto(`${server.url}/?layout=1&token=wrong`);
  await expect(page.getByRole('alert')).toHaveText('This is not the token of this server.');
  expect(page.url()).not.toContain('wrong');
  expect((await kept(page)).session).toEqual([]);
});

test('stream.html takes the token in the same ways', async ({ cameras, serve, page }) => {
  const server = await serve({ streams: rtspStreams(cameras, 1), api: { token: TOKEN } });
  await page.goto(`${server.url}/stream.html?src=camera1`);
  await field(page).fill(TOKEN);
  await page.keyboard.press('Enter');
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(`${server.url}/stream.html?token=${inAddress}&src=camera1`);
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  expect(page.url()).toBe(`${server.url}/stream.html?src=camera1`);
});

test('a server without a token or with a password shows no form', async ({
  cameras,
  serve,
  browser,
  page,
}) => {
  const streams = rtspStreams(cameras, 1);
  const open = await serve({ streams });
  await page.goto(`${open.url}/?layout=1`);
  await expect(page.locator('.tile')).toHaveAttribute('data-tone', 'live');
  await expect(field(page)).toBeHidden();
  const locked = await serve({ streams, api: { username: 'u', password: 'p' } });
  const context = await browser.newContext({ httpCredentials: { username: 'u', password: 'p' } });
  const knows = await context.newPage();
  await knows.goto(`${locked.url}/?layout=1`);
  await expect(knows.locator('.tile')).toHaveAttribute('data-tone', 'live');
  await context.close();
});
