import { luhn } from './check-digits.ts';
import { detector, type Group, type Span } from '../detector.ts';
import { isDigit, isHexLetter, isLetter } from '../gate.ts';

/** Issuer ranges by leading digits, with the lengths that each network gives out (ISO/IEC 7812 and the networks' published tables). */
const networks: readonly { from: number; to: number; lengths: readonly number[] }[] = [
  { from: 4, to: 4, lengths: [13, 16, 19] }, // Visa
  { from: 51, to: 55, lengths: [16] }, // Mastercard
  { from: 2221, to: 2720, lengths: [16] }, // Mastercard
  { from: 34, to: 34, lengths: [15] }, // American Express
  { from: 37, to: 37, lengths: [15] }, // American Express
  { from: 6011, to: 6011, lengths: [16, 17, 18, 19] }, // Discover
  { from: 644, to: 649, lengths: [16, 17, 18, 19] }, // Discover
  { from: 65, to: 65, lengths: [16, 17, 18, 19] }, // Discover, RuPay, Troy
  { from: 300, to: 305, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { from: 3095, to: 3095, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { from: 36, to: 36, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { from: 38, to: 39, lengths: [14, 16, 17, 18, 19] }, // Diners Club
  { from: 3528, to: 3589, lengths: [16, 17, 18, 19] }, // JCB
  { from: 62, to: 62, lengths: [16, 17, 18, 19] }, // UnionPay
  { from: 81, to: 82, lengths: [16, 17, 18, 19] }, // UnionPay, RuPay
  { from: 2200, to: 2204, lengths: [16, 17, 18, 19] }, // Mir
  { from: 508, to: 508, lengths: [16] }, // RuPay
  { from: 60, to: 60, lengths: [16] }, // RuPay, Hipercard
  { from: 5019, to: 5019, lengths: [16] }, // Dankort
  { from: 506099, to: 506198, lengths: [16, 18, 19] }, // Verve
  { from: 9792, to: 9792, lengths: [16] }, // Troy
  ...[5018, 5020, 5038, 5893, 6304, 6759, 6761, 6762, 6763].map((n) => ({
    from: n,
    to: n,
    lengths: [12, 13, 14, 15, 16, 17, 18, 19], // Maestro
  })),
];

const SHORTEST = 12;
const LONGEST = 19;

/** The networks that a number's first four digits leave possible. */
const byLead = Array.from({ length: 10_000 }, (): (typeof networks)[number][] => []);
for (const n of networks) {
  const scale = 10 ** (4 - String(n.from).length);
  for (let lead = Math.floor(n.from * scale); lead < Math.ceil((n.to + 1) * scale); lead++) byLead[lead]?.push(n);
}

const issued = (digits: string): boolean =>
  (byLead[Number(digits.slice(0, 4))] ?? []).some((n) => {
    const lead = Number(digits.slice(0, String(n.from).length));
    return lead >= n.from && lead <= n.to && n.lengths.includes(digits.length);
  });

/** Whether these digits, alone, are a number that some network gives out. */
export const isCard = (digits: string): boolean =>
  digits.length >= SHORTEST && digits.length <= LONGEST && issued(digits) && luhn(digits) && !/^(\d)\1*$/.test(digits);

/** How cards are printed. Groups like these are one number even in the middle of others. */
const printed = [
  '4,4,4,4',
  '4,6,5',
  '4,6,4',
  '4,4,4,4,3',
  '4,4,4,4,2',
  '4,4,4,4,1',
  '4,4,4,1',
  '4,4,5',
  '6,13',
  '4,4,4',
];
const printedFirst = new Map<number, number[][]>();
for (const p of printed) {
  const lengths = p.split(',').map(Number);
  const first = lengths[0] ?? 0;
  printedFirst.set(
    first,
    [...(printedFirst.get(first) ?? []), lengths].toSorted((a, b) => b.length - a.length),
  );
}

/** Letters or digits further than this from a number say nothing about it. */
const MAX_TOKEN = 64;

/** Whether the digits are part of a hexadecimal id: letters are glued to them, and all of those are a to f (or it begins with 0x). */
function inHex(text: string, from: number, to: number): boolean {
  let start = from;
  let end = to;
  const glued = (c: number): boolean => isDigit(c) || isLetter(c);
  while (start > 0 && from - start < MAX_TOKEN && glued(text.charCodeAt(start - 1))) start--;
  while (end < text.length && end - to < MAX_TOKEN && glued(text.charCodeAt(end))) end++;
  if (text.startsWith('0x', start)) start += 2;
  else if (start === from && end === to) return false;
  for (let i = start; i < end; i++) {
    const c = text.charCodeAt(i);
    if (!isDigit(c) && !isHexLetter(c)) return false;
  }
  return true;
}

/** Whether a sign before or after shows that this is another kind of number. */
function anotherKind(text: string, from: number, to: number, digits: number): boolean {
  // E.164 telephone numbers have a plus and at most 15 digits.
  if (digits <= 15 && text[from - 1] === '+') return true;
  // A decimal fraction: digits on both sides of a point.
  if (text[from - 1] === '.' && isDigit(text.charCodeAt(from - 2))) return true;
  if (text[to] === '.' && isDigit(text.charCodeAt(to + 1))) return true;
  // An id of letters and digits, such as a tracking number, of which this is the last part.
  let start = from;
  while (start > 0 && from - start < MAX_TOKEN && isLetter(text.charCodeAt(start - 1))) start--;
  if (start < from && isDigit(text.charCodeAt(start - 1))) return true;
  return inHex(text, from, to);
}

const sizes = (groups: readonly Group[], lengths: readonly number[], at: number): boolean =>
  lengths.every((n, k) => {
    const g = groups[at + k];
    return g !== undefined && g.to - g.from === n;
  });

const digitsOf = (text: string, groups: readonly Group[]): string =>
  groups.map((g) => text.slice(g.from, g.to)).join('');

/** Whether these groups are one number, written in pieces. */
function isPrintedCard(text: string, groups: readonly Group[]): boolean {
  const first = groups[0];
  const last = groups.at(-1);
  if (!first || !last) return false;
  const digits = digitsOf(text, groups);
  if (!isCard(digits)) return false;
  if (digits.length <= 15 && text[first.from - 1] === '+') return false;
  return !inHex(text, first.from, first.to) && !inHex(text, last.from, last.to);
}

/** A number cut at unusual places: every gap the same, nothing more on either side, and not a piece of a hyphenated id. */
function isOddlyCut(text: string, part: readonly Group[]): boolean {
  const gap = part[1]?.gap;
  const first = part[0];
  const last = part.at(-1);
  if (gap === undefined || !first || !last) return false;
  let total = 0;
  for (const g of part) total += g.to - g.from;
  if (total < SHORTEST || total > LONGEST || !isPrintedCard(text, part)) return false;
  // A unit, or letters of an id, glued to it: those groups are several numbers.
  if (isLetter(text.charCodeAt(first.from - 1)) || isLetter(text.charCodeAt(last.to))) return false;
  // Two groups around a point are a decimal fraction: a coordinate, an amount, a float.
  if (gap === '.' && part.length === 2) return false;
  if (gap.trim() === '') return true;
  const glued = (c: number): boolean => isDigit(c) || isLetter(c);
  const before =
    text.slice(first.from - gap.length, first.from) === gap && glued(text.charCodeAt(first.from - gap.length - 1));
  const after = text.startsWith(gap, last.to) && glued(text.charCodeAt(last.to + gap.length));
  return !before && !after;
}

/** Whether the chain belongs to an account number, whose groups of four are no cards: it begins with two letters and two digits, or it goes on for
 * longer than any card behind a letter. */
function isAccount(text: string, chain: readonly Group[]): boolean {
  const [first, last] = [chain[0], chain.at(-1)];
  if (!first || !last || first === last || !isLetter(text.charCodeAt(first.from - 1))) return false;
  const lead = text.slice(Math.max(0, first.from - 3), first.from);
  return (
    (first.to - first.from === 2 && /(?<![A-Za-z0-9])[A-Za-z]{2}$/.test(lead)) || digitsOf(text, chain).length > LONGEST
  );
}

/** Cards in one chain. Every group is looked at a bounded number of times. */
function cardsIn(text: string, chain: readonly Group[]): Span[] {
  const found: Span[] = [];
  const find = (of: readonly Group[]): void => {
    found.push({ start: of[0]?.from ?? 0, end: of.at(-1)?.to ?? 0, text: digitsOf(text, of) });
  };
  if (isAccount(text, chain)) return found;
  let at = 0;
  /** Where the groups begin that no printed form has taken, as runs with one and the same gap. */
  let loose: Group[] = [];
  const settle = (): void => {
    if (loose.length > 1 && isOddlyCut(text, loose)) find(loose);
    loose = [];
  };
  while (at < chain.length) {
    const g = chain[at];
    if (!g) break;
    const size = g.to - g.from;
    if (
      size >= SHORTEST &&
      size <= LONGEST &&
      isCard(text.slice(g.from, g.to)) &&
      !anotherKind(text, g.from, g.to, size)
    ) {
      settle();
      find([g]);
      at++;
      continue;
    }
    const form = printedFirst
      .get(size)
      ?.find((lengths) => sizes(chain, lengths, at) && isPrintedCard(text, chain.slice(at, at + lengths.length)));
    if (form) {
      settle();
      find(chain.slice(at, at + form.length));
      at += form.length;
      continue;
    }
    const same = loose[1]?.gap;
    if (loose.length > 0 && same !== undefined && g.gap !== same) settle();
    loose.push(g);
    at++;
  }
  settle();
  return found;
}

/** Payment card numbers: issuer range, length for that issuer, and check digit must all fit. Numbers that networks publish for tests count. */
export const paymentCard = detector('payment_card', {
  says: 'payment card numbers',
  class: 'checksum',
  severity: 'high',
  finds: [{ among: 'chains', digits: SHORTEST, find: cardsIn }],
  catches: [
    '4111111111111111',
    '4111 1111 1111 1111',
    'pay with 4111-1111-1111-1111, exp 12/29',
    '4012888888881881',
    '4222222222222',
    '5555555555554444',
    '5105.1051.0510.5100',
    '2223003122003222',
    '378282246310005',
    '3782 822463 10005',
    '371449635398431',
    '6011111111111117',
    '30569309025904',
    '3056 930902 5904',
    '3530111333300000',
    '6240008631401148',
    '6759649826438453',
    '2200700000000009',
    'x4111111111111111x',
    'card:4111111111111111.',
    'pan=4111111111111111&cvv=123',
    '4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1',
    '41111111 11111111',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111\u200b1111\u200b1111\u200b1111',
    '4\u00ad111111111111111',
    '４１１１　１１１１　１１１１　１１１１',
    '٤١١١١١١١١١١١١١١١',
    '4111–1111–1111–1111',
    '4111\n1111\n1111\n1111',
    'rows 12 4111 1111 1111 1111 34',
  ],
  spares: [
    '4111111111111112',
    '4111 1111 1111 1112',
    '0000000000000000',
    '4444444444444444444',
    '+49 170 1234567',
    '+1 (415) 555-2671',
    '+4222222222222',
    '+4222 222 222 222',
    'id a4111-1111-1111-1111',
    '4111-1111-1111-1111f',
    'order 4111111111111115',
    '1763640000008',
    '1763640000000000008',
    '1790000000000002',
    '2026-11-20 12:59:32.123456',
    '0.4111111111111111',
    '4111111111111111.25',
    '41.12345678901238',
    '356938035643809',
    '9780306406157',
    '41111111111111111111111111111111',
    'usr_0193a4111111111111111e0c5b7d2f41',
    '41111111-1111-1111-a111-111111111111',
    '0x4111111111111111',
    'sha 9f4111111111111111c2',
    '192.168.100.200',
    '4111, 1111, 1111, 1111',
  ],
});
