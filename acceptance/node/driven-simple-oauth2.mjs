// simple-oauth2, driven: code and refresh at the door that Zendesk has, as its documentation shows
// it: the application asks `expired()` before each use, and keeps the token as JSON.
//
// That door says nothing of `expires_in` unless it is asked; `asks` says whether it is.

import { AuthorizationCode } from 'simple-oauth2';
import { consent, drive, read, redirectUri } from './driven.mjs';
import { pinned, setup } from './support.mjs';

class Driven {
  open({ account }) {
    this.account = account;
    this.asked = account.asks ? { expires_in: 1800 } : {};
    this.grant = new AuthorizationCode({
      client: { id: account.client_id, secret: account.client_secret },
      auth: { tokenHost: setup.base, tokenPath: '/oauth/tokens' },
    });
    this.kept = undefined;
  }

  async redeem() {
    const parameters = { redirect_uri: redirectUri, scope: 'read write' };
    const answer = await consent(this.account, this.grant.authorizeURL(parameters));
    const code = answer.searchParams.get('code');
    const token = await this.grant.getToken({ code, redirect_uri: redirectUri, ...this.asked });
    this.kept = JSON.parse(JSON.stringify(token));
  }

  /** As a program does that is started again by then and reads the token that it kept. */
  later({ seconds }) {
    if (this.kept.expires_at) {
      this.kept.expires_at = new Date(Date.parse(this.kept.expires_at) - seconds * 1000).toISOString();
    }
  }

  async read() {
    let token = this.grant.createToken(this.kept);
    if (token.expired()) {
      token = await token.refresh(this.asked);
      this.kept = JSON.parse(JSON.stringify(token));
    }
    await read(this.account, token.token.access_token);
  }

  held() {
    return this.kept;
  }
}

await drive(new Driven(), pinned('simple-oauth2'));
