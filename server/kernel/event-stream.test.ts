import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { eventCutter, nameOf } from './event-stream.ts';

const cut = (pieces: readonly Buffer[]): { events: { raw: string; data: string }[]; rest: string } => {
  const c = eventCutter(1000);
  const events = pieces.flatMap((p) => c.push(p)).map((e) => ({ raw: e.raw.toString(), data: e.data }));
  return { events, rest: c.rest().toString() };
};

test('events end at a blank line, whichever of LF, CR LF and CR ends the lines', () => {
  for (const nl of ['\n', '\r\n', '\r']) {
    const text = [`id: 1${nl}data: a${nl}data:b${nl}${nl}`, `: note${nl}${nl}`, `data${nl}${nl}`].join('');
    const { events } = cut([Buffer.from(`${text}data: c${nl}${nl}x`)]);
    assert.deepEqual(
      events.map((e) => e.data),
      ['a\nb', '', '', 'c'],
      JSON.stringify(nl),
    );
    assert.equal(events.map((e) => e.raw).join(''), `${text}data: c${nl}${nl}`);
  }
});

test('wherever a stream is cut into pieces, the same events come out and no byte is lost', () => {
  const line = fc.constantFrom('data: {"a":1}', 'data:x', 'id: 7', ': c', '', '', 'event: message', 'data: ü');
  fc.assert(
    fc.property(fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r'))), fc.array(fc.nat(200)), (lines, cuts) => {
      const whole = Buffer.from(lines.map(([l, nl]) => l + nl).join('') + 'end');
      const at = [0, ...cuts.map((c) => c % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const pieces = at.slice(1).map((to, i) => whole.subarray(at[i], to));
      const one = cut([whole]);
      const many = cut(pieces);
      assert.deepEqual(many, one);
      assert.equal(many.events.map((e) => e.raw).join('') + many.rest, whole.toString());
    }),
    { numRuns: 500 },
  );
});

test('an event larger than the cap is refused, however small its pieces are', () => {
  const c = eventCutter(1000);
  assert.throws(() => {
    for (let i = 0; i < 2000; i++) c.push(Buffer.from('x'));
  }, RangeError);
});

test('an event has the last name that it is given, and is a message where it is given none', () => {
  const named = (raw: string): string[] => eventCutter(1000).push(Buffer.from(raw)).map(nameOf);
  assert.deepEqual(named('data: 1\n\nevent: endpoint\ndata: 1\n\nevent:a\r\nevent: b\r\n\r\nevent:\n\nxevent: c\n\n'), [
    'message',
    'endpoint',
    'b',
    'message',
    'message',
  ]);
});
