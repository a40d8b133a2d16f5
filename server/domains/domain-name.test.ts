import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Problem } from '#kernel/problem.ts';
import { challengeValue, newToken, readTxt } from './challenge.ts';
import { domainAndAbove, domainOfEmail, domainToVerify, readDomainName } from './domain-name.ts';
import { newId } from '#kernel/id.ts';

const codeOf = (typed: string): string => {
  try {
    return domainToVerify(typed).name;
  } catch (e) {
    assert.ok(e instanceof Problem && e.fix);
    return e.code;
  }
};

const spellings: [string, string][] = [
  ['acme.example', 'acme.example'],
  ['  ACME.Example. ', 'acme.example'],
  ['@acme.example', 'acme.example'],
  ['ＡＣＭＥ。example', 'acme.example'],
  ['acme．example', 'acme.example'],
  ['bücher.example', 'xn--bcher-kva.example'],
  ['bu\u0308cher.example', 'xn--bcher-kva.example'],
  ['BÜCHER.EXAMPLE', 'xn--bcher-kva.example'],
  ['xn--BCHER-kva.example', 'xn--bcher-kva.example'],
  ['straße.example', 'xn--strae-oqa.example'],
  ['نامه\u200cای.example', 'xn--mgba3gch31f060k.example'],
  ['mail.acme.co.uk', 'mail.acme.co.uk'],
];
for (const [typed, name] of spellings)
  test(`${JSON.stringify(typed)} is the domain ${name}`, () => assert.equal(codeOf(typed), name));

const refused: [string, string][] = [
  ['', 'domains/not-a-domain'],
  ['acme', 'domains/not-a-domain'],
  ['https://acme.example', 'domains/not-a-domain'],
  ['acme.example/path', 'domains/not-a-domain'],
  ['acme.example:443', 'domains/not-a-domain'],
  ['ada@acme.example', 'domains/not-a-domain'],
  ['*.acme.example', 'domains/not-a-domain'],
  ['acme..example', 'domains/not-a-domain'],
  ['.acme.example', 'domains/not-a-domain'],
  ['-acme.example', 'domains/not-a-domain'],
  ['_dmarc.acme.example', 'domains/not-a-domain'],
  ['acme.example..', 'domains/not-a-domain'],
  ['192.0.2.1', 'domains/not-a-domain'],
  ['127.1', 'domains/not-a-domain'],
  ['0x7f.1', 'domains/not-a-domain'],
  ['acme.123', 'domains/not-a-domain'],
  ['xn--a.example', 'domains/not-a-domain'],
  ['ab--cd.example', 'domains/not-a-domain'],
  ['acme.exam\u0000ple', 'domains/not-a-domain'],
  ['acme example', 'domains/not-a-domain'],
  ['%61cme.example', 'domains/not-a-domain'],
  [`${'a'.repeat(64)}.example`, 'domains/not-a-domain'],
  [`${'a.'.repeat(110)}example`, 'domains/not-a-domain'],
  ['co.uk', 'domains/public-suffix'],
  ['github.io', 'domains/public-suffix'],
  ['kawasaki.jp', 'domains/public-suffix'],
  ['xn--55qx5d.cn', 'domains/public-suffix'],
  ['gmail.com', 'domains/consumer-domain'],
  ['GMail.com.', 'domains/consumer-domain'],
  ['x.hotmail.co.uk', 'domains/consumer-domain'],
];
for (const [typed, code] of refused)
  test(`${JSON.stringify(typed.slice(0, 40))} is refused with ${code}`, () => assert.equal(codeOf(typed), code));

const label = fc.stringMatching(/^[a-z0-9](?:[a-z0-9]{0,10}[a-z0-9])?$/).filter((l) => !/^\d+$/.test(l));
const unicode = fc.constantFrom('bücher', '東京', 'пример', 'δοκιμή', 'ñandú', 'cafe\u0301', 'straße');
const domain = fc
  .array(fc.oneof(label, unicode), { minLength: 2, maxLength: 4 })
  .filter((l) => !/^(?:\d+|0x[0-9a-f]*)$/i.test(l.at(-1) ?? ''))
  .map((l) => l.join('.'));

test('what ends in a number is an address to browsers, and no domain', () => {
  for (const typed of ['a.1', 'a.0x', 'bücher.0x', 'a.0x7f', 'a.0X7F'])
    assert.equal(readDomainName(typed), undefined, typed);
});

test('the form of a domain is its own form, and so is what people read', () => {
  fc.assert(
    fc.property(domain, (typed) => {
      const first = readDomainName(typed);
      assert.ok(first, typed);
      assert.deepEqual(readDomainName(first.name), first);
      assert.deepEqual(readDomainName(first.shown), first);
    }),
    { numRuns: 2000 },
  );
});

test('case, a last dot, a leading @ and the kind of full stop make no difference', () => {
  fc.assert(
    fc.property(
      domain,
      fc.constantFrom('.', '。', '．', '｡'),
      fc.boolean(),
      fc.boolean(),
      (typed, stop, upper, dot) => {
        // Upper case of ß is another word.
        const word = typed.replaceAll('ß', 'ss');
        const odd = ` @${(upper ? word.toUpperCase() : word).replaceAll('.', stop)}${dot ? '.' : ''}\t`;
        assert.deepEqual(readDomainName(odd), readDomainName(word));
      },
    ),
    { numRuns: 2000 },
  );
});

test('whatever is typed, a name that comes out is one that DNS can be asked for, in its one form', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: 'grapheme' }),
        fc.string({ unit: 'binary' }),
        fc.string().map((s) => `${s}.example`),
      ),
      (typed) => {
        const found = readDomainName(typed);
        if (!found) return;
        assert.match(found.name, /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/);
        assert.ok(found.name.length <= 200);
        assert.deepEqual(readDomainName(found.name), found);
      },
    ),
    { numRuns: 5000 },
  );
});

test('the domain of an address is what is behind its last @', () => {
  assert.equal(domainOfEmail('Ada@ACME.Example'), 'acme.example');
  assert.equal(domainOfEmail('"odd@local"@bücher.example'), 'xn--bcher-kva.example');
  for (const none of ['', 'ada', '@acme.example', 'ada@', 'ada@localhost', 'ada@[192.0.2.1]', 'ada@acme.example@'])
    assert.equal(domainOfEmail(none), undefined, none);
});

test('above a domain are its parents down to the registrable one, and never a public suffix', () => {
  assert.deepEqual(domainAndAbove('a.b.acme.co.uk'), ['a.b.acme.co.uk', 'b.acme.co.uk', 'acme.co.uk']);
  assert.deepEqual(domainAndAbove('acme.co.uk'), ['acme.co.uk']);
  assert.deepEqual(domainAndAbove('me.github.io'), ['me.github.io']);
});

test('no TXT value but the very one is taken for the token', () => {
  const c = { name: 'acme.example', parent: newId('par'), token: newToken() };
  const value = challengeValue(c);
  fc.assert(
    fc.property(fc.nat(value.length - 1), fc.string({ minLength: 0, maxLength: 3 }), fc.nat(3), (at, put, drop) => {
      const edited = value.slice(0, at) + put + value.slice(at + drop);
      const bare = edited
        .trim()
        .replace(/^"(.*)"$/s, '$1')
        .trim();
      if (bare !== value) assert.notEqual(readTxt(c, edited), 'token', edited);
    }),
    { numRuns: 5000 },
  );
  assert.equal(readTxt(c, value), 'token');
});
