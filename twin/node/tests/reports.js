// An integration as many have one, on unmodified simple-oauth2: it reads who it is and keeps its
// pair of tokens. It knows nothing of a twin. The examples test it.

import { AuthorizationCode } from 'simple-oauth2';

/** The grant is over: only a person who signs in helps. */
export class SignInAgain extends Error {}

/** Calls the API as a user who has given consent. */
export class Reports {
  #base;
  #token;
  #keep;

  constructor(baseUrl, clientId, token, keep) {
    this.#base = baseUrl;
    const grant = new AuthorizationCode({
      client: { id: clientId, secret: '' },
      auth: { tokenHost: baseUrl, tokenPath: '/oauth/tokens' },
      options: { authorizationMethod: 'body' },
    });
    this.#token = grant.createToken(token);
    this.#keep = keep;
  }

  /** Who the user is. An access token that is refused is refreshed once. */
  async me() {
    let answer = await this.#get('/api/v2/users/me.json');
    if (answer.status === 401) {
      await this.#refresh();
      answer = await this.#get('/api/v2/users/me.json');
    }
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return (await answer.json()).user;
  }

  #get(path) {
    const headers = { authorization: `Bearer ${this.#token.token.access_token}` };
    return fetch(this.#base + path, { headers });
  }

  /** An answer that is lost is asked for once more: a server that forgives gives it again. */
  async #refresh() {
    for (const isLast of [false, true]) {
      try {
        this.#token = await this.#token.refresh();
        await this.#keep(this.#token.token);
        return;
      } catch (error) {
        const refused = error.data?.payload?.error_description;
        if (refused !== undefined) throw new SignInAgain(refused, { cause: error });
        if (isLast) throw error;
      }
    }
  }
}
