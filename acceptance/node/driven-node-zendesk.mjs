// node-zendesk, driven: tokens, clients, the caller; with an API token and with an access token.

import zendesk from 'node-zendesk';
import { drive, expect } from './driven.mjs';
import { pinned, setup } from './support.mjs';

const endpointUri = `${setup.base}/api/v2`;

class Driven {
  open({ account }) {
    this.account = account;
    const { email: username, api_token: token, access_token: accessToken } = account;
    const options =
      account.sign_in === 'access token' ? { token: accessToken, useOAuth: true } : { username, token };
    this.client = zendesk.createClient({ ...options, endpointUri });
  }

  async me() {
    const { result } = await this.client.users.me();
    expect(result.email, this.account.email);
  }

  async list_tokens() {
    const listed = await this.client.oauthtokens.list();
    const ids = listed.flatMap(({ tokens }) => tokens.map(({ id }) => id));
    expect(new Set(ids).size, this.account.tokens);
  }

  async create_token() {
    const wanted = { token: { client_id: this.account.client, scopes: ['read'] } };
    const { result } = await this.client.oauthtokens.create(wanted);
    expect(result.client_id, this.account.client);
    this.made = result.id;
  }

  async show_token() {
    const { result } = await this.client.oauthtokens.show(this.made);
    expect(result.id, this.made);
  }

  async revoke_token() {
    await this.client.oauthtokens.revoke(this.made);
  }

  async list_clients() {
    const listed = await this.client.oauthclients.list();
    expect(listed.map(({ id }) => id), [this.account.client]);
  }
}

await drive(new Driven(), pinned('node-zendesk'));
