/**
 * Frames between a control plane and an agent inside another network, and between two nodes of the control plane: a byte that says which,
 * four of the stream (0: the line itself), and what belongs to it. One frame is one message of a WebSocket.
 * INVARIANT (strict): what is not exactly a frame is refused, so no two readers can differ about what was said.
 */
export const PROTOCOL = 1;
/** Of JSON in a frame: the headers of a large request fit. */
export const MAX_JSON = 64 * 1024;
/** Of a body in one frame: small enough that another stream need not wait for it. */
export const MAX_CHUNK = 16 * 1024;
export const HEAD_BYTES = 5;
export const MAX_FRAME = HEAD_BYTES + MAX_JSON;
/** What may be under way in one direction of a stream before its reader has taken it. */
export const WINDOW = 128 * 1024;
/** Streams at once on a line; with WINDOW the bound of what a line can make a process hold. */
export const MAX_STREAMS = 512;

export type Reason = { code: string; says: string };
export type Headers = readonly (readonly [string, string])[];
/** What an agent says of itself. `allow`: what its own command line lets it reach. */
export type Hello = { protocol: number; secret: string; name: string; version: string; allow: readonly string[] };
export type Welcome = { protocol: number; tunnel: string; name: string; agent: string; pingSeconds: number };
/** `via`: between nodes, the tunnel that is meant. */
export type RequestHead = { method: string; url: string; headers: Headers; via?: string };
export type AnswerHead = { status: number; headers: Headers };

export type Frame =
  | { type: 'hello'; hello: Hello }
  | { type: 'welcome'; welcome: Welcome }
  | { type: 'bye'; reason: Reason }
  | { type: 'ping'; mark: number }
  | { type: 'pong'; mark: number }
  | { type: 'open'; stream: number; head: RequestHead }
  | { type: 'head'; stream: number; head: AnswerHead }
  | { type: 'data'; stream: number; bytes: Uint8Array }
  | { type: 'end'; stream: number }
  | { type: 'credit'; stream: number; bytes: number }
  | { type: 'reset'; stream: number; reason: Reason };

/** Why a line ends at once: what came is no frame, or one that may not come now. */
export class Refused extends Error {
  readonly reason: Reason;
  constructor(code: string, says: string) {
    super(says);
    this.name = 'Refused';
    this.reason = { code, says };
  }
}

const numbers = { hello: 1, welcome: 2, bye: 3, ping: 4, pong: 5, open: 16, head: 17, data: 18, end: 19, credit: 20, reset: 21 } as const; // prettier-ignore
const types = new Map<number, Frame['type']>(Object.entries(numbers).map(([type, n]) => [n, type as Frame['type']]));

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const bytesOf = new TextEncoder();

/** A frame as bytes. Throws where a part is longer than may be sent. */
export function encode(f: Frame): Uint8Array {
  switch (f.type) {
    case 'hello':
      return framed(numbers.hello, 0, jsonBytes(f.hello));
    case 'welcome':
      return framed(numbers.welcome, 0, jsonBytes(f.welcome));
    case 'bye':
      return framed(numbers.bye, 0, jsonBytes(cut(f.reason)));
    case 'ping':
    case 'pong':
      return framed(numbers[f.type], 0, uint32(f.mark));
    case 'open':
      return framed(numbers.open, f.stream, jsonBytes(f.head));
    case 'head':
      return framed(numbers.head, f.stream, jsonBytes(f.head));
    case 'data':
      return framed(numbers.data, f.stream, f.bytes);
    case 'end':
      return framed(numbers.end, f.stream, new Uint8Array());
    case 'credit':
      return framed(numbers.credit, f.stream, uint32(f.bytes));
    case 'reset':
      return framed(numbers.reset, f.stream, jsonBytes(cut(f.reason)));
  }
}

/** The one frame that these bytes are. Throws `Refused` for anything else. The bytes of a body are a view of what was given. */
export function decode(bytes: Uint8Array): Frame {
  if (bytes.length < HEAD_BYTES) throw new Refused('frame', `a frame of ${bytes.length} bytes is none`);
  if (bytes.length > MAX_FRAME) throw new Refused('frame', `a frame of ${bytes.length} bytes is too long`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = types.get(view.getUint8(0));
  const stream = view.getUint32(1);
  const rest = bytes.subarray(HEAD_BYTES);
  if (type === undefined) throw new Refused('frame', `there is no frame of type ${view.getUint8(0)}`);
  if (view.getUint8(0) < numbers.open !== (stream === 0))
    throw new Refused('frame', `a frame ${type} cannot be of stream ${stream}`);
  switch (type) {
    case 'hello':
      return { type, hello: helloOf(json(rest)) };
    case 'welcome':
      return { type, welcome: welcomeOf(json(rest)) };
    case 'bye':
      return { type, reason: reasonOf(json(rest)) };
    case 'ping':
    case 'pong':
      return { type, mark: uint32Of(rest, type) };
    case 'open':
      return { type, stream, head: requestOf(json(rest)) };
    case 'head':
      return { type, stream, head: answerOf(json(rest)) };
    case 'data':
      if (rest.length === 0 || rest.length > MAX_CHUNK)
        throw new Refused('frame', `a piece of a body has 1 to ${MAX_CHUNK} bytes, not ${rest.length}`);
      return { type, stream, bytes: rest };
    case 'end':
      if (rest.length > 0) throw new Refused('frame', 'an end has nothing in it');
      return { type, stream };
    case 'credit': {
      const credit = uint32Of(rest, type);
      if (credit === 0 || credit > WINDOW) throw new Refused('frame', `a credit of ${credit} bytes is none`);
      return { type, stream, bytes: credit };
    }
    case 'reset':
      return { type, stream, reason: reasonOf(json(rest)) };
  }
}

function framed(type: number, stream: number, rest: Uint8Array): Uint8Array {
  if (rest.length > MAX_JSON) throw new Refused('too_large', `a frame of ${rest.length} bytes is too long to be sent`);
  const out = new Uint8Array(HEAD_BYTES + rest.length);
  const view = new DataView(out.buffer);
  view.setUint8(0, type);
  view.setUint32(1, stream);
  out.set(rest, HEAD_BYTES);
  return out;
}

const jsonBytes = (value: unknown): Uint8Array => bytesOf.encode(JSON.stringify(value));
/** Words for people are cut rather than refused. */
const cut = (r: Reason): Reason => ({ code: r.code, says: r.says.slice(0, MAX_SAYS) });
const uint32 = (n: number): Uint8Array => {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, n);
  return out;
};
function uint32Of(rest: Uint8Array, type: string): number {
  if (rest.length !== 4) throw new Refused('frame', `a ${type} has 4 bytes, not ${rest.length}`);
  return new DataView(rest.buffer, rest.byteOffset, 4).getUint32(0);
}

const MAX_SAYS = 500;
/** Destinations that a command line names. */
export const MAX_ALLOW = 100;

function json(rest: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(rest));
  } catch {
    throw new Refused('frame', 'what should be JSON is none');
  }
}

/** Exactly these members. */
function members(value: unknown, must: readonly string[], may: readonly string[] = []): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Refused('frame', 'what should be an object is none');
  const found = Object.keys(value);
  const wrong = found.find((k) => !must.includes(k) && !may.includes(k)) ?? must.find((k) => !found.includes(k));
  if (wrong !== undefined) throw new Refused('frame', `${JSON.stringify(wrong.slice(0, 40))} is missing or not known`);
  return value as Record<string, unknown>;
}
function text(value: unknown, name: string, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) throw new Refused('frame', `${name} has not its form`);
  return value;
}
function count(value: unknown, name: string, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new Refused('frame', `${name} is no number from ${least} to ${most}`);
  return value;
}

const LINE = /^[^\0-\x1f\x7f]{0,500}$/u;
const NAME = /^[^\0-\x1f\x7f]{1,100}$/u;
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** Nothing that could begin another header, and only what HTTP/1.1 can carry. */
const VALUE = /^[\t\x20-\x7e\x80-\xff]{0,16384}$/;
const ADDRESS = /^https?:\/\/[\x21-\x7e]{1,8000}$/;

function headersOf(value: unknown): Headers {
  if (!Array.isArray(value) || value.length > 200) throw new Refused('frame', 'headers are no list of at most 200');
  return value.map((h: unknown): [string, string] => {
    if (!Array.isArray(h) || h.length !== 2) throw new Refused('frame', 'a header is a name and a value');
    return [text(h[0], 'the name of a header', TOKEN), text(h[1], 'the value of a header', VALUE)];
  });
}
function reasonOf(value: unknown): Reason {
  const m = members(value, ['code', 'says']);
  return { code: text(m['code'], 'a code', /^[a-z][a-z_]{0,39}$/), says: text(m['says'], 'a reason', LINE) };
}
function helloOf(value: unknown): Hello {
  const m = members(value, ['protocol', 'secret', 'name', 'version', 'allow']);
  if (!Array.isArray(m['allow']) || m['allow'].length > MAX_ALLOW)
    throw new Refused('frame', `allow is no list of at most ${MAX_ALLOW}`);
  return {
    protocol: count(m['protocol'], 'protocol', 1, 1000),
    secret: text(m['secret'], 'the secret', /^[\x21-\x7e]{1,200}$/),
    name: text(m['name'], 'name', NAME),
    version: text(m['version'], 'version', NAME),
    allow: m['allow'].map((a: unknown) => text(a, 'what is allowed', ADDRESS)),
  };
}
function welcomeOf(value: unknown): Welcome {
  const m = members(value, ['protocol', 'tunnel', 'name', 'agent', 'pingSeconds']);
  return {
    protocol: count(m['protocol'], 'protocol', 1, 1000),
    tunnel: text(m['tunnel'], 'tunnel', NAME),
    name: text(m['name'], 'name', NAME),
    agent: text(m['agent'], 'agent', NAME),
    pingSeconds: count(m['pingSeconds'], 'pingSeconds', 1, 600),
  };
}
function requestOf(value: unknown): RequestHead {
  const m = members(value, ['method', 'url', 'headers'], ['via']);
  return {
    method: text(m['method'], 'method', /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS)$/),
    url: text(m['url'], 'url', ADDRESS),
    headers: headersOf(m['headers']),
    ...(m['via'] === undefined ? {} : { via: text(m['via'], 'via', NAME) }),
  };
}
function answerOf(value: unknown): AnswerHead {
  const m = members(value, ['status', 'headers']);
  return { status: count(m['status'], 'status', 200, 599), headers: headersOf(m['headers']) };
}
