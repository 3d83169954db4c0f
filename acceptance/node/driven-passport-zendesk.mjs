// passport-zendesk, driven: a whole sign-in, from its redirect to the profile. Its addresses are fixed
// to zendesk.com, so what sends its requests is turned to this server; nothing else of it is.

import { createRequire } from 'node:module';
import { Strategy } from 'passport-zendesk';
import { consent, drive, expect, read, redirectUri } from './driven.mjs';
import { pinned, setup } from './support.mjs';

// The very `oauth` that the strategy uses.
const { OAuth2 } = createRequire(createRequire(import.meta.url).resolve('passport-zendesk'))('oauth');
const here = (url) => url.replace(/^https:\/\/[^/]+/, setup.base);

class Turned extends OAuth2 {
  getAuthorizeUrl(parameters) {
    return here(super.getAuthorizeUrl(parameters));
  }

  _request(method, url, ...rest) {
    return super._request(method, here(url), ...rest);
  }
}

class Driven {
  open({ account }) {
    this.account = account;
    const verify = (accessToken, refreshToken, profile, done) => {
      this.kept = { access_token: accessToken, refresh_token: refreshToken };
      done(null, profile);
    };
    this.strategy = new Strategy(
      {
        subdomain: 'acme',
        clientID: account.client_id,
        clientSecret: account.client_secret,
        callbackURL: redirectUri,
      },
      verify,
    );
    this.strategy._createOauth2 = (...given) => new Turned(...given);
    this.kept = undefined;
  }

  /** What the strategy makes of one request of the browser's. */
  authenticate(request) {
    return new Promise((resolve, reject) => {
      const attempt = Object.assign(Object.create(this.strategy), {
        redirect: (address) => resolve({ address }),
        success: (user) => resolve({ user }),
        fail: (why) => reject(new Error(why?.message ?? 'refused')),
        error: reject,
      });
      attempt.authenticate(request);
    });
  }

  async redeem() {
    const session = {};
    const { address } = await this.authenticate({ session, query: {} });
    const answer = await consent(this.account, address);
    const query = Object.fromEntries(answer.searchParams);
    const { user } = await this.authenticate({ session, query });
    expect(user.email ?? user.emails?.[0]?.value ?? user._json?.user?.email, this.account.email);
  }

  /** Nothing of its own: whoever signs in with it keeps the tokens. */
  later() {}

  read() {
    return read(this.account, this.kept.access_token);
  }

  held() {
    return this.kept;
  }
}

await drive(new Driven(), pinned('passport-zendesk'));
