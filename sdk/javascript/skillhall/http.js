// Requests to the origins that skill.toml asks for and the host grants. The world needs `import wasi:http/outgoing-handler@0.2.12;`, and
// skill.toml a line such as `http = [{ origin = "https://api.example.com", methods = ["GET"], paths = ["/v1/"] }]` under [capabilities].
//
//   import * as http from './skillhall/http.js';
//
//   const page = http.get('https://api.example.com/v1/things', { headers: { accept: 'application/json' } });
//   if (page.ok) things = page.json();
//
// Redirects are not followed: where one leads is another request, which has to be granted, too.

import { handle } from 'wasi:http/outgoing-handler@0.2.12';
import { Fields, OutgoingBody, OutgoingRequest, RequestOptions } from 'wasi:http/types@0.2.12';

// What one call of a stream takes, by its specification.
const PIECE = 4096;

/** No answer came. `code` is the error's name in wasi:http, such as `HTTP-request-denied` or `connection-refused`. */
export class HttpError extends Error {
  constructor(code) {
    super(code);
    this.name = 'HttpError';
    this.code = code;
  }
}

/** An answer: `status`, `headers` (pairs of name and bytes, as they came), `body` (bytes). */
export class Response {
  constructor(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  /** Whether the status is 200 to 299. */
  get ok() {
    return this.status >= 200 && this.status < 300;
  }

  /** The first header of a name, or undefined. */
  header(name) {
    const found = this.headers.find(([other]) => other.toLowerCase() === name.toLowerCase());
    return found && new TextDecoder('latin1').decode(found[1]);
  }

  /** The body as text. */
  text() {
    return new TextDecoder().decode(this.body);
  }

  /** The body as JSON. Throws SyntaxError if it is none. */
  json() {
    return JSON.parse(this.text());
  }
}

/** `request('GET', url, options)`. */
export const get = (url, options) => request('GET', url, options);

/** `request('POST', url, options)`. */
export const post = (url, options) => request('POST', url, options);

/**
 * Sends a request and reads the whole answer. `body` is text or a Uint8Array; `json` is anything that is sent as JSON. `timeout` is in
 * milliseconds, for connecting and for each wait. Throws HttpError if no answer comes, or one with more than `maxBytes`, and TypeError if the
 * URL is none of http or https.
 */
export function request(method, url, { headers = {}, body, json, timeout, maxBytes = 4 << 20 } = {}) {
  const { protocol, host, pathname, search } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`no URL of http or https: ${url}`);
  const given = Object.entries(headers);
  if (json !== undefined) {
    body = JSON.stringify(json);
    given.push(['content-type', 'application/json']);
  }
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  if (bytes) given.push(['content-length', String(bytes.length)]);
  return told(() => {
    const fields = Fields.fromList(given.map(([name, value]) => [name.toLowerCase(), latin1(value)]));
    const outgoing = new OutgoingRequest(fields);
    outgoing.setMethod(named(method));
    outgoing.setScheme({ tag: protocol === 'https:' ? 'HTTPS' : 'HTTP' });
    outgoing.setAuthority(host);
    outgoing.setPathWithQuery(pathname + search);
    return answered(outgoing, bytes, waiting(timeout), maxBytes);
  });
}

function answered(outgoing, bytes, options, maxBytes) {
  const sent = outgoing.body();
  const future = handle(outgoing, options);
  if (bytes?.length) {
    const stream = sent.write();
    for (let start = 0; start < bytes.length; start += PIECE) stream.blockingWriteAndFlush(bytes.subarray(start, start + PIECE));
    stream[Symbol.dispose]();
  }
  OutgoingBody.finish(sent, undefined);
  const ready = future.subscribe();
  ready.block();
  ready[Symbol.dispose]();
  const answer = future.get();
  if (answer.tag === 'err' || answer.val.tag === 'err') throw new HttpError(answer.val?.val?.tag ?? 'internal-error');
  const response = answer.val.val;
  const received = response.headers();
  const headers = received.entries();
  received[Symbol.dispose]();
  return new Response(response.status(), headers, read(response.consume(), maxBytes));
}

function read(body, maxBytes) {
  const stream = body.stream();
  const pieces = [];
  let length = 0;
  for (;;) {
    let piece;
    try {
      piece = stream.blockingRead(65536n);
    } catch (error) {
      if ((error.payload ?? error).tag === 'closed') break;
      throw error;
    }
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) throw new HttpError('HTTP-response-body-size');
  }
  stream[Symbol.dispose]();
  const whole = new Uint8Array(length);
  let end = 0;
  for (const piece of pieces) {
    whole.set(piece, end);
    end += piece.length;
  }
  return whole;
}

// What an interface refuses is thrown with its value as payload.
function told(send) {
  try {
    return send();
  } catch (error) {
    if (error instanceof HttpError) throw error;
    const value = error?.payload ?? (error instanceof Error ? undefined : error);
    if (value?.tag) throw new HttpError(value.tag);
    throw error;
  }
}

function waiting(milliseconds) {
  if (milliseconds === undefined) return undefined;
  const nanoseconds = BigInt(Math.ceil(milliseconds)) * 1_000_000n;
  const options = new RequestOptions();
  options.setConnectTimeout(nanoseconds);
  options.setFirstByteTimeout(nanoseconds);
  options.setBetweenBytesTimeout(nanoseconds);
  return options;
}

function named(method) {
  const tag = method.toLowerCase();
  const known = ['get', 'head', 'post', 'put', 'delete', 'connect', 'options', 'trace', 'patch'];
  return known.includes(tag) ? { tag } : { tag: 'other', val: method };
}

const latin1 = (text) => Uint8Array.from(String(text), (character) => character.charCodeAt(0));
