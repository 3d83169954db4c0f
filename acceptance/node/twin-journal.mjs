// The journal of a twin in a real Chromium: it follows the calls, and forgets what a reset undid.
// The page is pictured, narrow and wide, light and dark.

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { exercise, finish, pinned, setup } from './support.mjs';

const version = pinned('playwright-core');
const { base, screenshots } = setup;
mkdirSync(screenshots, { recursive: true });

const browser = await chromium.launch({
  executablePath: setup.chromium,
  chromiumSandbox: process.getuid() !== 0,
  args: ['--disable-gpu', '--disable-quic'],
});
const page = await browser.newPage();
page.setDefaultTimeout(15_000);
const complaints = [];
page.on('console', (message) => {
  if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
});
page.on('pageerror', (error) => complaints.push(`${error}`));

const call = (headers = {}) => fetch(`${base}/api/v2/users/me.json`, { headers });

/** Waits until the page shows these calls, the newest first. */
const shows = (...numbers) =>
  page.waitForFunction((wanted) => {
    const shown = [...document.querySelectorAll('#entries .number')].map((it) => it.textContent);
    return shown.join() === wanted;
  }, numbers.join());

await exercise('calls come to the open page, the newest on top', async () => {
  await page.goto(`${base}/twin/journal`);
  assert.equal(await page.locator('#state').textContent(), 'No call yet.');
  await call();
  await shows(1);
  await call({ 'x-twin-fault': 'status=503' });
  await shows(2, 1);
  assert.equal(await page.locator('#entries tr').first().getAttribute('class'), 'broken');
  assert.equal(await page.locator('#entries .faults').first().textContent(), 'status=503');
});

for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1280]) {
    await exercise(`it fits ${width} pixels, ${colorScheme}`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${wide} pixels`);
      const path = join(screenshots, `twin-journal-${colorScheme}-${width}.png`);
      await page.screenshot({ path, fullPage: true });
    });
  }
}

await exercise('what a reset undid leaves the page', async () => {
  const reset = await fetch(`${base}/twin/reset`, { method: 'POST' });
  assert.equal(reset.status, 204);
  await shows();
  assert.equal(await page.locator('#state').textContent(), 'No call yet.');
  await call();
  await shows(3);
});

await exercise('what was cleared while the page was paused leaves it when it goes on', async () => {
  await page.getByRole('button', { name: 'Pause' }).click();
  await call();
  assert.equal((await fetch(`${base}/twin/journal`, { method: 'DELETE' })).status, 204);
  await call();
  await shows(3);
  await page.getByRole('button', { name: 'Resume' }).click();
  await shows(5);
});

await exercise('a double that is started anew at the address shows its own calls', async () => {
  const { entries } = await (await fetch(`${base}/twin/journal.json`)).json();
  const first = { ...entries[0], number: 1 };
  await page.route('**/twin/journal.json?*', async (route) => {
    const since = Number(new URL(route.request().url()).searchParams.get('since'));
    const json = { entries: since < 1 ? [first] : [], last: 1, dropped: 0, cleared: 0 };
    await route.fulfill({ json });
  });
  // The question that the page has asked already is answered by this call.
  await call();
  await shows(1);
  await page.unroute('**/twin/journal.json?*');
});

await exercise('a program that takes HTML among other things gets JSON', async () => {
  const accept = 'text/html, image/gif, image/jpeg, */*; q=0.2';
  const answer = await fetch(`${base}/twin/journal`, { headers: { accept } });
  assert.equal((await answer.json()).cleared, 4);
});

await browser.close();
assert.deepEqual(complaints, []);
finish(version);
