import assert from 'node:assert/strict';
import { test } from 'node:test';
import { format, inspect } from 'node:util';
import { makeLog } from './log.ts';
import { Secret } from './secret.ts';

const value = 'xoxb-lamp-0815';

for (const [where, shown] of [
  ['JSON', (s: Secret) => JSON.stringify({ s })],
  ['a template', (s: { toString(): string }) => `Bearer ${s.toString()}`],
  ['a sum of strings', (s: Secret) => 'x' + String(s)],
  ['a debugger', (s: Secret) => inspect({ s }, { depth: 9, showHidden: true })],
  ['console output', (s: Secret) => format('%s %o %j', s, s, s)],
  ['an error', (s: Secret) => inspect(new Error('no', { cause: { s } }), { depth: 9 })],
  ['the list of its fields', (s: Secret) => JSON.stringify(Object.assign({}, s))],
] as const)
  test(`a secret does not show in ${where}`, () => {
    assert.equal(shown(new Secret(value)).includes(value), false);
  });

test('a secret does not show in a log line', () => {
  let line = '';
  const log = makeLog('info', { write: (l: string) => void (line += l) });
  log.info({ opened: new Secret(value), inside: { it: new Secret(value) } }, 'opened');
  assert.equal(line.includes(value), false);
  assert.match(line, /\[secret\]/);
});

test('reveal gives the value, from text and from bytes', () => {
  assert.equal(new Secret(value).reveal(), value);
  assert.equal(new Secret(Buffer.from('lämp')).reveal(), 'lämp');
});
