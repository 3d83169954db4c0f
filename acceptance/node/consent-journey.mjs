// The consent journey in a real Chromium: sign in, allow, deny, connected apps, by mouse, by
// keyboard alone and without scripts. Every page is pictured, narrow and wide, light and dark.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { current, exercise, finish, pinned, setup } from './support.mjs';

const version = pinned('playwright-core');
const { user, public: client, screenshots } = setup;
mkdirSync(screenshots, { recursive: true });

const SIGN_IN = { name: 'Sign in' };
const ALLOW = { name: 'Allow' };
const DENY = { name: 'Deny' };
const END_ACCESS = { name: /^End access/ };

// Somewhere for the browser to be sent back to: answers everything, remembers what came.
const callbacks = [];
const listener = createServer((request, response) => {
  callbacks.push(new URL(request.url, redirectUri));
  response.setHeader('content-type', 'text/html; charset=utf-8');
  response.end('<!doctype html><title>Acme</title><link rel="icon" href="data:,"><h1>Back</h1>');
});
await new Promise((done) => listener.listen(0, '127.0.0.1', done));
const redirectUri = `http://127.0.0.1:${listener.address().port}/callback`;

const browser = await chromium.launch({
  executablePath: setup.chromium,
  chromiumSandbox: process.getuid() !== 0,
  args: ['--disable-gpu', '--disable-quic'],
});

/** What a page must never do; the end of this script fails on any of it. */
const complaints = [];

async function visitor(options = {}) {
  const context = await browser.newContext({ locale: 'en-US', ...options });
  const page = await context.newPage();
  page.on('console', (message) => {
    // Chromium reports every answer of 400 and above here; the pages' own statuses are asserted.
    const ofAnswer = /^Failed to load resource: the server responded with a status of 4\d\d/;
    const ofPage = message.location().url === page.url() && ofAnswer.test(message.text());
    if (['error', 'warning'].includes(message.type()) && !ofPage) {
      complaints.push(`${page.url()}: ${message.text()} (${message.location().url})`);
    }
  });
  page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error}`));
  page.on('request', (request) => {
    const { protocol, host } = new URL(request.url());
    if (protocol !== 'data:' && ![setup.base, redirectUri].some((own) => new URL(own).host === host)) {
      complaints.push(`${page.url()}: asks ${request.url()}`);
    }
  });
  page.setDefaultTimeout(15_000);
  return page;
}

/** An authorization address, with the verifier that redeems its code. */
async function request(scope = 'read write', registered = client) {
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  const state = crypto.randomUUID();
  const address = new URL(`${setup.base}/oauth/authorizations/new`);
  address.search = new URLSearchParams({
    response_type: 'code',
    client_id: registered.identifier,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: Buffer.from(digest).toString('base64url'),
    code_challenge_method: 'S256',
  });
  return { address: address.href, state, verifier };
}

/** Waits until the browser is back at the client; the parameters it brought. */
async function back(page, asked) {
  await page.waitForURL((url) => url.href.startsWith(redirectUri));
  const parameters = callbacks.at(-1).searchParams;
  assert.equal(parameters.get('state'), asked.state);
  assert.equal(parameters.get('iss'), setup.base);
  return parameters;
}

async function redeem(parameters, asked) {
  const response = await fetch(`${setup.base}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'authorization_code',
      client_id: client.identifier,
      code: parameters.get('code'),
      redirect_uri: redirectUri,
      code_verifier: asked.verifier,
    }),
  });
  assert.equal(response.status, 200, await response.clone().text());
  return (await response.json()).access_token;
}

/** Does it, and waits for the page that it leads to. */
async function leaving(page, action) {
  const loaded = page.waitForEvent('domcontentloaded');
  await action();
  await loaded;
}

const press = (page, button) => leaving(page, () => page.getByRole('button', button).click());

async function signIn(page, { email, password } = user) {
  await page.getByLabel('Email').fill(email);
  await page.getByLabel('Password').fill(password);
  await press(page, SIGN_IN);
}

/** A picture of the page in each scheme and width; it must fit the narrow one. */
async function picture(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      const path = join(screenshots, `${name}-${colorScheme}-${width}.png`);
      await page.screenshot({ path, fullPage: true });
      const overflow = await page.evaluate(
        () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
      );
      assert.ok(overflow <= 0, `${name} is ${overflow} pixels wider than ${width}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

/** What makes a page usable without seeing it, and safe to type a password into. */
async function examine(page, response) {
  const found = await page.evaluate(() => ({
    language: document.documentElement.lang,
    title: document.title,
    headings: document.querySelectorAll('h1').length,
    main: document.querySelectorAll('main').length,
    unlabelled: [...document.querySelectorAll('input:not([type=hidden])')].filter(
      (input) => input.labels.length === 0 && !input.ariaLabel,
    ).length,
    nameless: [...document.querySelectorAll('button, a')].filter(
      (element) => !element.textContent.trim() && !element.ariaLabel,
    ).length,
  }));
  assert.match(found.language, /^en/);
  assert.ok(found.title.length > 3, 'a title');
  const { headings, main, unlabelled, nameless } = found;
  const counted = { headings, main, unlabelled, nameless };
  assert.deepEqual(counted, { headings: 1, main: 1, unlabelled: 0, nameless: 0 });
  const headers = response.headers();
  const policy = headers['content-security-policy'];
  assert.match(policy, /frame-ancestors 'none'/);
  assert.match(policy, /default-src 'none'|default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe-inline|unsafe-eval|\*/);
  assert.equal(headers['referrer-policy'], 'no-referrer');
  assert.equal(headers['x-content-type-options'], 'nosniff');
  assert.match(headers['cache-control'], /no-store/);
}

const page = await visitor();

await exercise('sign-in page: reached by the client\'s address, examined and pictured', async () => {
  const response = await page.goto((await request()).address);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
  await examine(page, response);
  await picture(page, 'sign-in');
});

await exercise('a wrong password is told without telling which half was wrong', async () => {
  const alert = page.getByRole('alert');
  await signIn(page, { email: user.email, password: 'not the password' });
  const told = await alert.textContent();
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await picture(page, 'sign-in-refused');
  await signIn(page, { email: 'nobody@acme.test', password: 'not the password' });
  assert.equal(await alert.textContent(), told);
});

const token = await exercise('consent page: names what is asked, and leads back with a code', async () => {
  const asked = await request();
  await page.goto(asked.address);
  await signIn(page);
  await page.getByRole('button', ALLOW).waitFor();
  await examine(page, await page.reload());
  const text = await page.textContent('main');
  for (const named of [client.name, client.company, client.description, '127.0.0.1', user.email]) {
    assert.ok(text.includes(named), `the consent page does not name ${named}: ${text}`);
  }
  await picture(page, 'consent');
  await press(page, ALLOW);
  const parameters = await back(page, asked);
  const accessToken = await redeem(parameters, asked);
  assert.deepEqual((await current(accessToken)).scopes, ['read', 'write']);
  return accessToken;
});

await exercise('a public client is asked for again, and denying leads back with access_denied', async () => {
  const asked = await request('tickets:read users:read users:write impersonate');
  await page.goto(asked.address);
  await picture(page, 'consent-many-scopes');
  await press(page, DENY);
  const parameters = await back(page, asked);
  assert.equal(parameters.get('error'), 'access_denied');
  assert.equal(parameters.get('code'), null);
});

await exercise('connected apps: the app is listed, ending it kills its token at once', async () => {
  const response = await page.goto(`${setup.base}/account/connections`);
  assert.equal(response.status(), 200);
  await examine(page, response);
  const listed = page.getByRole('heading', { level: 2, name: client.name });
  assert.equal(await listed.count(), 1);
  await picture(page, 'connections');
  assert.ok(await current(token), 'alive before');
  await press(page, END_ACCESS);
  assert.equal(await current(token), undefined, 'dead after');
  assert.equal(await listed.count(), 0);
  await picture(page, 'connections-empty');
});

await exercise('error page: an unregistered redirect address is shown and never followed', async () => {
  const address = new URL((await request()).address);
  address.searchParams.set('redirect_uri', 'https://elsewhere.test/callback');
  const response = await page.goto(address.href);
  assert.equal(response.status(), 400);
  assert.equal(new URL(page.url()).origin, setup.base);
  await examine(page, response);
  await picture(page, 'error');
});

await exercise('signing out ends the session', async () => {
  await page.goto(`${setup.base}/account/connections`);
  await press(page, { name: 'Sign out' });
  assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 0);
  await picture(page, 'signed-out');
  await page.goto(`${setup.base}/account/connections`);
  assert.equal(new URL(page.url()).pathname, '/sign-in');
});

/** Presses Tab until the element has the focus, which must be visible. */
async function tabTo(page, locator) {
  for (let presses = 0; presses < 30; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await locator.evaluate((element) => element === document.activeElement);
    if (focused) {
      const visible = await locator.evaluate((element) => {
        const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
        return (outlineStyle !== 'none' && parseFloat(outlineWidth) > 0) || boxShadow !== 'none';
      });
      assert.ok(visible, 'the focus cannot be seen');
      return;
    }
  }
  throw new Error('not reached by Tab');
}

await exercise('keyboard alone: Tab, typing and Enter are enough', async () => {
  const keyboard = await visitor();
  const asked = await request('read');
  await keyboard.goto(asked.address);
  const focused = () => keyboard.evaluate(() => document.activeElement?.getAttribute('name'));
  if ((await focused()) !== 'email') {
    await tabTo(keyboard, keyboard.getByLabel('Email'));
  }
  await keyboard.keyboard.type(user.email);
  await tabTo(keyboard, keyboard.getByLabel('Password'));
  await keyboard.keyboard.type(user.password);
  const enter = () => leaving(keyboard, () => keyboard.keyboard.press('Enter'));
  await enter();
  await tabTo(keyboard, keyboard.getByRole('button', ALLOW));
  await enter();
  const accessToken = await redeem(await back(keyboard, asked), asked);
  assert.deepEqual((await current(accessToken)).scopes, ['read']);
  await keyboard.goto(`${setup.base}/account/connections`);
  await tabTo(keyboard, keyboard.getByRole('button', END_ACCESS));
  await enter();
  assert.equal(await current(accessToken), undefined);
  await keyboard.context().close();
});

await exercise('without JavaScript: sign in and allow', async () => {
  const plain = await visitor({ javaScriptEnabled: false });
  const asked = await request();
  await plain.goto(asked.address);
  await signIn(plain);
  await press(plain, ALLOW);
  assert.ok(await redeem(await back(plain, asked), asked));
  await plain.context().close();
});

await exercise('no page can be put into a frame', async () => {
  const frame = await browser.newPage();
  await frame.goto(redirectUri);
  const refused = frame.waitForEvent('console', { predicate: (m) => /frame-ancestors/.test(m.text()) });
  await frame.evaluate((address) => {
    document.body.append(Object.assign(document.createElement('iframe'), { src: address }));
  }, (await request()).address);
  await refused;
  await frame.close();
});

await exercise('no page complained: no console error, no policy violation, no foreign address', () => {
  assert.deepEqual(complaints, []);
});

await browser.close();
listener.close();
finish(`Chromium ${browser.version()}`, version);
