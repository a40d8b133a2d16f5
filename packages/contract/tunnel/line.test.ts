import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { covers, readDestination } from './destination.ts';
import { decode, encode, MAX_CHUNK, MAX_STREAMS, Refused, WINDOW, type Frame, type Reason } from './frame.ts';
import { Line, type Ear, type Stream } from './line.ts';

const stream = fc.integer({ min: 1, max: 2 ** 32 - 1 });
const line = fc.string({ unit: 'grapheme-ascii', maxLength: 200 });
const reason = fc.record({ code: fc.stringMatching(/^[a-z][a-z_]{0,39}$/), says: line }, { noNullPrototype: true });
const headers = fc.array(fc.tuple(fc.stringMatching(/^[a-z-]{1,20}$/), line), { maxLength: 8 });
const url = fc.webUrl().filter((u) => /^https?:\/\/[\x21-\x7e]{1,8000}$/.test(u));
const frames: fc.Arbitrary<Frame> = fc.oneof(
  fc.record({
    type: fc.constant('hello' as const),
    hello: fc.record(
      {
        protocol: fc.integer({ min: 1, max: 1000 }),
        secret: fc.stringMatching(/^[a-z0-9_]{1,100}$/),
        name: fc.stringMatching(/^[a-z ]{1,50}$/),
        version: fc.constant('1'),
        allow: fc.array(url, { maxLength: 4 }),
      },
      { noNullPrototype: true },
    ),
  }),
  fc.record({ type: fc.constant('bye' as const), reason }),
  fc.record({ type: fc.constantFrom('ping' as const, 'pong' as const), mark: fc.nat({ max: 2 ** 32 - 1 }) }),
  fc.record({
    type: fc.constant('open' as const),
    stream,
    head: fc.record({ method: fc.constantFrom('GET', 'POST', 'DELETE'), url, headers }, { noNullPrototype: true }),
  }),
  fc.record({
    type: fc.constant('head' as const),
    stream,
    head: fc.record({ status: fc.integer({ min: 200, max: 599 }), headers }, { noNullPrototype: true }),
  }),
  fc.record({ type: fc.constant('data' as const), stream, bytes: fc.uint8Array({ minLength: 1, maxLength: 500 }) }),
  fc.record({ type: fc.constant('end' as const), stream }),
  fc.record({ type: fc.constant('credit' as const), stream, bytes: fc.integer({ min: 1, max: WINDOW }) }),
  fc.record({ type: fc.constant('reset' as const), stream, reason }),
);

test('every frame reads as what was written, and in no other way', () => {
  fc.assert(
    fc.property(frames, (f) => {
      const bytes = encode(f);
      assert.deepEqual(JSON.parse(JSON.stringify(decode(bytes))), JSON.parse(JSON.stringify(f)));
    }),
    { numRuns: 2000 },
  );
});

/** What comes of bytes: a frame, or a refusal; anything else is a fault of ours. */
const read = (bytes: Uint8Array): Frame | Reason => {
  try {
    return decode(bytes);
  } catch (e) {
    assert.ok(e instanceof Refused, String(e));
    return e.reason;
  }
};

test('any bytes, and any frame that was cut, stretched or altered, are a frame or are refused with a reason', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => void read(bytes)),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(
      frames,
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.uint8Array({ maxLength: 5 }),
      (f, at, to, more) => {
        const bytes = encode(f);
        bytes[at % bytes.length] = to;
        read(bytes);
        read(bytes.subarray(0, at % bytes.length));
        read(new Uint8Array([...bytes, ...more]));
      },
    ),
    { numRuns: 3000 },
  );
});

const refusals: [string, number[] | Frame, RegExp][] = [
  ['an unknown type', [99, 0, 0, 0, 1], /no frame of type 99/],
  ['a frame without its head', [1, 0], /2 bytes is none/],
  ['a ping of a stream', [4, 0, 0, 0, 9, 0, 0, 0, 0], /cannot be of stream 9/],
  ['data of no stream', [18, 0, 0, 0, 0, 1], /cannot be of stream 0/],
  ['an empty piece of a body', [18, 0, 0, 0, 1], /1 to 16384 bytes, not 0/],
  ['a piece that is too long', [18, 0, 0, 0, 1, ...Array.from({ length: MAX_CHUNK + 1 }, () => 0)], /not 16385/],
  ['an end with something in it', [19, 0, 0, 0, 1, 1], /an end has nothing in it/],
  ['a credit of nothing', { type: 'credit', stream: 1, bytes: 0 }, /credit of 0 bytes/],
  ['a credit beyond the window', { type: 'credit', stream: 1, bytes: WINDOW + 1 }, /credit of 131073 bytes/],
  ['a head that begins another header', { type: 'head', stream: 1, head: { status: 200, headers: [['a', 'b\r\nset-cookie: x']] } }, /value of a header/],
  ['a status that is no answer', { type: 'head', stream: 1, head: { status: 101, headers: [] } }, /status is no number/],
  ['a method that nobody asked for', { type: 'open', stream: 1, head: { method: 'CONNECT', url: 'http://a/', headers: [] } }, /method/],
  ['an address that is no web address', { type: 'open', stream: 1, head: { method: 'GET', url: 'file:///etc/passwd', headers: [] } }, /url/],
]; // prettier-ignore
for (const [what, f, says] of refusals)
  test(`${what} is refused`, () => {
    assert.throws(() => decode(Array.isArray(f) ? Uint8Array.from(f) : encode(f)), (e) => e instanceof Refused && says.test(e.message)); // prettier-ignore
  });

const json = (type: number, stream: number, value: unknown): Uint8Array =>
  Uint8Array.from([type, 0, 0, 0, stream, ...Buffer.from(JSON.stringify(value))]);
for (const [what, bytes] of [
  ['that says more than there is to say', json(21, 1, { code: 'x', says: '', more: 1 })],
  ['that leaves something out', json(21, 1, { code: 'x' })],
  ['that is a list', json(21, 1, [])],
  ['that is no object', json(21, 1, null)],
  ['that is no JSON', Uint8Array.from([21, 0, 0, 0, 1, 123])],
  ['that is no UTF-8', Uint8Array.from([21, 0, 0, 0, 1, 0xff, 0xfe])],
] as const)
  test(`a reason ${what} is refused`, () => assert.throws(() => decode(bytes), Refused));

const deaf: Ear = { head() {}, data() {}, end() {}, drain() {}, reset() {} };
const GET = { method: 'GET', url: 'http://a/', headers: [] };

/** One side, and what it sent. */
function side(role: 'asks' | 'answers', onOpen: (s: Stream) => Ear = () => deaf) {
  const sent: Frame[] = [];
  const ends: Reason[] = [];
  const l = new Line({
    port: { send: (b) => void sent.push(decode(b.slice())), close: () => undefined },
    role,
    onOpen: (_h, s) => onOpen(s),
    onEnd: (r) => void ends.push(r),
  });
  return { l, sent, ends };
}
const open = (id: number): Frame => ({ type: 'open', stream: id, head: GET });
const data = (id: number, n: number): Frame => ({ type: 'data', stream: id, bytes: new Uint8Array(n) });
const full = (id: number): Frame[] => Array.from({ length: WINDOW / MAX_CHUNK }, () => data(id, MAX_CHUNK));

const wrong: [string, 'asks' | 'answers', Frame[], string][] = [
  ['an answer to a request that was never sent', 'asks', [{ type: 'head', stream: 2, head: { status: 200, headers: [] } }], 'order'],
  ['a body before its head', 'asks', [data(1, 1)], 'order'],
  ['a head after a head', 'asks', [1, 2].map(() => ({ type: 'head', stream: 1, head: { status: 200, headers: [] } })), 'order'],
  ['an agent that asks', 'asks', [open(2)], 'order'],
  ['a pong without its ping', 'asks', [{ type: 'pong', mark: 7 }], 'order'],
  ['a ping of the side that answers', 'asks', [{ type: 'ping', mark: 7 }], 'order'],
  ['a second hello', 'asks', [{ type: 'hello', hello: { protocol: 1, secret: 'x', name: 'x', version: '1', allow: [] } }], 'order'],
  ['credit for what was never sent', 'asks', [{ type: 'credit', stream: 1, bytes: 1 }], 'credit'],
  ['more of an answer than there is credit for', 'asks', [{ type: 'head', stream: 1, head: { status: 200, headers: [] } }, ...full(1), data(1, 1)], 'credit'],
  ['more of a request than there is credit for', 'answers', [open(1), ...full(1), data(1, 1)], 'credit'],
  ['a stream that is not the next one', 'answers', [open(2)], 'order'],
  ['a stream that is opened twice', 'answers', [open(1), open(1)], 'order'],
  ['a body after its end', 'answers', [open(1), { type: 'end', stream: 1 }, data(1, 1)], 'order'],
  ['more streams than there may be', 'answers', Array.from({ length: MAX_STREAMS + 1 }, (_, i) => open(i + 1)), 'order'],
]; // prettier-ignore
for (const [what, role, came, code] of wrong)
  test(`${what} ends the line with a reason, and every request on it`, () => {
    const resets: Reason[] = [];
    const ear: Ear = { ...deaf, reset: (r) => void resets.push(r) };
    const { l, sent, ends } = side(role, () => ear);
    if (role === 'asks') l.request(GET, ear);
    for (const f of came) l.receive(encode(f));
    assert.deepEqual(ends.map((r) => r.code), [code]); // prettier-ignore
    assert.ok(resets.every((r) => r.code === code));
    assert.equal(resets.length > 0, role === 'asks' || came[0]?.type === 'open' && came[0].stream === 1); // prettier-ignore
    assert.equal(sent.at(-1)?.type, 'bye');
    l.receive(encode(open(1)));
    assert.equal(ends.length, 1, 'and it is over once');
  });

test('what still comes of a request that was given up is for nobody and harms nobody', () => {
  const { l, ends } = side('asks');
  const s = l.request(GET, deaf);
  l.request(GET, deaf);
  s.reset({ code: 'cancelled', says: '' });
  for (const f of [{ type: 'head', stream: 1, head: { status: 200, headers: [] } }, ...full(1), { type: 'end', stream: 1 }] as Frame[]) l.receive(encode(f)); // prettier-ignore
  assert.deepEqual(ends, []);
  assert.equal(l.open, 1);
});

test('a listener that breaks ends its line, with every request on it, and not the process', () => {
  const faults: unknown[] = [];
  const resets: Reason[] = [];
  const ends: Reason[] = [];
  const l = new Line({
    port: { send() {}, close() {} },
    role: 'asks',
    onEnd: (r) => void ends.push(r),
    onFault: (e) => void faults.push(e),
  });
  const broken = (): never => {
    throw new Error('mine');
  };
  l.request(GET, { ...deaf, head: broken, reset: broken });
  l.request(GET, { ...deaf, reset: (r) => void resets.push(r) });
  l.receive(encode({ type: 'head', stream: 1, head: { status: 200, headers: [] } }));
  assert.deepEqual(ends.map((r) => r.code), ['fault']); // prettier-ignore
  assert.equal(resets.length, 1);
  assert.equal(faults.length, 2);
});

test('frames in any order, from either side, never do more than end the line once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('asks' as const, 'answers' as const),
      fc.array(frames, { maxLength: 30 }),
      (role, came) => {
        const { l, ends } = side(role, (s) => ({ ...deaf, data: (b) => s.took(b.length), end: () => s.end() }));
        if (role === 'asks') for (let i = 0; i < 3; i++) l.request(GET, deaf);
        for (const f of came) l.receive(encode('stream' in f ? { ...f, stream: 1 + (f.stream % 5) } : f));
        assert.ok(ends.length <= 1);
        l.closed({ code: 'gone', says: '' });
        assert.equal(ends.length, 1);
        assert.equal(l.open, 0);
      },
    ),
    { numRuns: 1000 },
  );
});

test('whatever the paces of both sides, bytes arrive whole and in order, and never more than a window is under way', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 80_000 }), { minLength: 1, maxLength: 12, size: 'max' }),
      fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 40 }),
      (sizes, paces) => {
        const pieces = sizes.map((n, i) => Buffer.alloc(n, i + 1));
        const wire: { to: Line; bytes: Uint8Array }[] = [];
        const got: Uint8Array[] = [];
        const untaken: number[] = [];
        let under = 0;
        let ended = false;
        let room = true;
        let most = 0;
        let answerer: Stream | undefined;
        const server = new Line({
          port: {
            send(b) {
              wire.push({ to: agent, bytes: b });
            },
            close: () => undefined,
          },
          role: 'asks',
          onEnd: (r) => assert.fail(r.says),
        });
        const agent: Line = new Line({
          port: {
            send(b) {
              const f = decode(b);
              if (f.type === 'data') most = Math.max(most, (under += f.bytes.length));
              wire.push({ to: server, bytes: b });
            },
            close: () => undefined,
          },
          role: 'answers',
          onOpen(_h, s) {
            answerer = s;
            return { ...deaf, drain: () => void (room = true) };
          },
          onEnd: (r) => assert.fail(r.says),
        });
        const asked = server.request(GET, {
          ...deaf,
          data(b) {
            got.push(b.slice());
            untaken.push(b.length);
          },
          end: () => void (ended = true),
        });
        const deliver = (): void => {
          const next = wire.shift();
          next?.to.receive(next.bytes);
        };
        deliver();
        answerer?.head({ status: 200, headers: [] });
        const queue = [...pieces];
        for (let i = 0; !ended; i++) {
          const pace = paces[i % paces.length];
          if (pace === 0 && room && queue.length > 0) room = answerer?.write(queue.shift()!) ?? true;
          else if (pace === 1 && untaken.length > 0) {
            const n = untaken.shift()!;
            under -= n;
            asked.took(n);
          } else if (pace === 2) deliver();
          // Nobody may starve for good, whatever was drawn.
          if (i % 50 === 49) {
            if (room && queue.length > 0) room = answerer?.write(queue.shift()!) ?? true;
            while (untaken.length > 0) {
              under -= untaken[0]!;
              asked.took(untaken.shift()!);
            }
            while (wire.length > 0) deliver();
          }
          if (queue.length === 0 && i % 50 === 48) answerer?.end();
          assert.ok(i < 100_000, 'it goes on');
        }
        assert.ok(Buffer.concat(got).equals(Buffer.concat(pieces)));
        assert.ok(most <= WINDOW, `${most} bytes under way`);
      },
    ),
    { numRuns: 60 },
  );
});

const reachable: [string, string, boolean][] = [
  ['http://crm.internal:8080', 'http://crm.internal:8080/any/thing?x=1', true],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp', true],
  ['http://crm.internal:8080/mcp/', 'http://crm.internal:8080/mcp/x', true],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp2', false],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp/../admin', false],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp/%2e%2e/admin', false],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp/..%2fadmin', false],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp/%252e%252e/x', true],
  ['http://crm.internal:8080/mcp', 'http://crm.internal:8080/mcp\\..\\admin', false],
  ['http://crm.internal:8080', 'https://crm.internal:8080/', false],
  ['http://crm.internal:8080', 'http://crm.internal/', false],
  ['http://crm.internal', 'http://crm.internal.evil.example/', false],
  ['http://crm.internal', 'http://evil.example#crm.internal/', false],
  ['http://10.0.0.1', 'http://0x0a.1/', true],
];
for (const [d, to, may] of reachable)
  test(`${d} ${may ? 'has' : 'does not have'} ${to} in it`, () => {
    const read = readDestination(d);
    assert.ok(!('wrong' in read));
    assert.equal(covers(read, new URL(to)), may);
  });
for (const [text, says] of [
  ['crm.internal:8080', /begins with http/],
  ['ftp://crm.internal', /begins with http/],
  ['http://ada:pw@crm.internal', /user name or password/],
  ['http://crm.internal/?q', /question or a fragment/],
  ['http://*.internal', /wildcard|no address/],
  ['http://crm.internal/a%2fb', /read in two ways/],
] as const)
  test(`"${text}" is no destination`, () => {
    const read = readDestination(text);
    assert.ok('wrong' in read && says.test(read.wrong), JSON.stringify(read));
  });
