import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readChallenge } from './challenge.ts';

const said: [string, string | string[], [string | undefined, string[] | undefined, string | undefined] | undefined][] =
  [
    ['a bare scheme', 'Bearer', [undefined, undefined, undefined]],
    [
      'all of it',
      'Bearer error="insufficient_scope", scope="a b", resource_metadata="https://h/x"',
      ['https://h/x', ['a', 'b'], 'insufficient_scope'],
    ],
    [
      'another order, another case, no spaces',
      'bearer SCOPE=a,Resource_Metadata="https://h/x"',
      ['https://h/x', ['a'], undefined],
    ],
    ['another scheme before', 'Basic realm="Bearer, scope=\\"x\\"", Bearer scope="b"', [undefined, ['b'], undefined]],
    ['a scheme with a token before', 'Negotiate YWJj==, Bearer scope="b"', [undefined, ['b'], undefined]],
    [
      'another scheme behind',
      'Bearer scope="b", DPoP scope="c", resource_metadata="https://no"',
      [undefined, ['b'], undefined],
    ],
    ['several headers', ['Basic realm="x"', 'Bearer scope="b"'], [undefined, ['b'], undefined]],
    ['a parameter twice', 'Bearer scope="a", scope="b"', [undefined, ['a'], undefined]],
    ['scopes that are none', `Bearer scope="a a \u00e9 ${'x'.repeat(300)} b"`, [undefined, ['a', 'b'], undefined]],
    ['no bearer', 'Basic realm="x"', undefined],
    ['nothing', '', undefined],
    ['more than a header', `Bearer scope="${'a '.repeat(6000)}"`, undefined],
  ];
for (const [what, header, expected] of said)
  test(`a challenge with ${what} is read as ${JSON.stringify(expected)}`, () => {
    const c = readChallenge(header);
    assert.deepEqual(c && [c.resourceMetadata, c.scopes, c.error], expected);
  });
