/** Bits per character by how often each character comes (Shannon 1948). */
export function entropy(text: string): number {
  const times = new Map<string, number>();
  for (const c of text) times.set(c, (times.get(c) ?? 0) + 1);
  let bits = 0;
  for (const n of times.values()) bits -= (n / text.length) * Math.log2(n / text.length);
  return bits;
}

/** What stands in documentation instead of a secret. */
const placeholder =
  /^(?:[*.•x#_-]+|[<[{(%$].*|.*(?:example|placeholder|changeme|change_me|redacted|your[-_ ]|dummy|\*{3}|\.{3}|x{6}).*|null|none|true|false|undefined)$/i;

export const isPlaceholder = (text: string): boolean => placeholder.test(text);

/** Whether a token with a known beginning goes on like a secret: a dozen different characters or 2.5 bits each, not one character repeated. */
export function isSecretLooking(token: string): boolean {
  const body = token.slice(4);
  return !/(.)\1{7}/.test(body) && new Set(body).size >= Math.min(9, body.length / 2);
}
