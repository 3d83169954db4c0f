// Calls to the addresses under `/twin`.

import { request } from 'node:http';

import { ControlError } from './errors.js';

/** As long as an answer may take, in milliseconds, besides what the call itself asks to wait. */
const ANSWER_MAX = 10_000;

/**
 * Speaks to a twin's control, with a connection for each call and without `fetch`: what tests put
 * in place of that does not concern it.
 */
export class Control {
  #base;

  constructor(baseUrl) {
    this.#base = baseUrl;
  }

  /**
   * The JSON of the answer, `undefined` of one without a body.
   *
   * @throws {ControlError}
   */
  async call(method, path, { body, query = {}, wait = 0 } = {}) {
    const call = `${method} ${path}`;
    const url = new URL(path, this.#base);
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    const { status, text } = await send(call, url, method, body, ANSWER_MAX + wait);
    let value;
    try {
      value = text.trim() === '' ? undefined : JSON.parse(text);
    } catch {
      throw new ControlError(call, status, 'the answer is no JSON: is this a twin?');
    }
    if (status >= 200 && status < 300) return value;
    const told = value?.error_description ?? 'it is refused without a reason';
    throw new ControlError(call, status, told);
  }
}

function send(call, url, method, body, time) {
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const headers = sent === undefined ? {} : { 'content-type': 'application/json' };
  if (method !== 'GET') headers['content-length'] = Buffer.byteLength(sent ?? '');
  return new Promise((resolve, reject) => {
    const fail = (error) => {
      const why = error.code ?? error.message;
      const told = `the twin does not answer (${why}): has it been stopped?`;
      reject(new ControlError(call, undefined, told, { cause: error }));
    };
    const asked = request(url, { method, headers, agent: false, timeout: time }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('error', fail);
      answer.on('data', (part) => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode, text }));
    });
    asked.on('timeout', () => asked.destroy(new Error(`nothing came in ${time / 1_000} seconds`)));
    asked.on('error', fail);
    asked.end(sent);
  });
}
