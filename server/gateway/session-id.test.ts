import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Seal } from '#kernel/seal.ts';
import { newId } from '#kernel/id.ts';
import { sessionIds } from './session-id.ts';

const seal = { derive: () => Buffer.alloc(32, 7) } as unknown as Seal;
const ids = sessionIds(seal);
const [member, connector] = [newId('mem'), newId('con')];
const expires = Date.parse('2026-01-02');
const id = ids.seal({ body: { kind: 'upstream', id: 'abc' }, member, connector, expires })!;

test('a session id opens for its member and connector until it expires, on any node with the same root key', () => {
  assert.equal(sessionIds(seal).open(id, member, connector, new Date('2026-01-01'))?.id, 'abc');
  assert.equal(ids.open(id, member, connector, new Date('2026-01-02')), undefined);
  assert.equal(ids.open(id, newId('mem'), connector, new Date('2026-01-01')), undefined);
  assert.equal(ids.open(id, member, newId('con'), new Date('2026-01-01')), undefined);
});

test('no other spelling of a session id opens', () => {
  for (let i = 0; i < id.length; i++) {
    const other = id.slice(0, i) + (id[i] === 'A' ? 'B' : 'A') + id.slice(i + 1);
    assert.equal(ids.open(other, member, connector, new Date('2026-01-01')), undefined, String(i));
  }
  for (const other of [`${id}=`, `${id} `, id.slice(1), '', 'abc', id + id])
    assert.equal(ids.open(other, member, connector, new Date('2026-01-01')), undefined);
});

test('an upstream\u2019s id that could break a header is not taken', () => {
  for (const upstream of ['a\r\nb: c', 'a b', '', 'ü', 'x'.repeat(513)])
    assert.equal(ids.seal({ body: { kind: 'upstream', id: upstream }, member, connector, expires }), undefined);
});

test('a session of ours says what the client said in its greeting, and no upstream can make an id that reads as one', () => {
  const greeting = { version: '2025-11-25', capabilities: { elicitation: {} }, info: { name: 'c', version: '1' } };
  const own = ids.seal({ body: { kind: 'ours', id: 's', greeting }, member, connector, expires })!;
  assert.deepEqual(ids.open(own, member, connector, new Date('2026-01-01')), { kind: 'ours', id: 's', greeting });
  const forged = ids.seal({ body: { kind: 'upstream', id: 'o{"id":"s"}' }, member, connector, expires })!;
  assert.equal(ids.open(forged, member, connector, new Date('2026-01-01'))?.kind, 'upstream');
  const long = { ...greeting, capabilities: { elicitation: { x: 'y'.repeat(3000) } } };
  assert.equal(ids.seal({ body: { kind: 'ours', id: 's', greeting: long }, member, connector, expires }), undefined);
});
