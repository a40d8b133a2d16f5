import type { Secret } from '#kernel/secret.ts';

/** How a credential stands in a request. Absent in a manifest: as a bearer (RFC 6750 §2.1). */
export type Presenting =
  | { as: 'nothing' }
  | { as: 'header'; name: string; before: string }
  | { as: 'query'; name: string };

const BEARER: Presenting = { as: 'header', name: 'authorization', before: 'Bearer ' };

/** Puts the credential in, last of all, so that nothing a tool says stands in its place. */
export function present(how: Presenting = BEARER, token: Secret, headers: Headers, url: URL): URL {
  if (how.as === 'header') headers.set(how.name, how.before + token.reveal());
  if (how.as !== 'query') return url;
  const name = encodeURIComponent(how.name);
  const with_ = new URL(url);
  // Put together by hand: what the service was to get in the query stays byte for byte as it was written.
  const others = url.search
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && nameIn(pair) !== how.name);
  with_.search = [...others, `${name}=${encodeURIComponent(token.reveal())}`].join('&');
  return with_;
}

const nameIn = (pair: string): string => [...new URLSearchParams(pair).keys()][0] ?? '';

/** Shorter ones would take words out of honest answers. */
const MIN_ECHO = 6;

/** The texts in which a service can give a credential back: as it was sent, and what it stands for. */
export function echoesOf(how: Presenting = BEARER, token: Secret): string[] {
  const sent = token.reveal();
  const plain =
    how.as === 'header' && how.before === 'Basic ' ? Buffer.from(sent, 'base64').toString('utf8') : undefined;
  const password = plain?.slice(plain.indexOf(':') + 1);
  const all = [sent, encodeURIComponent(sent), JSON.stringify(sent).slice(1, -1), plain, password];
  return [...new Set(all.filter((s) => s !== undefined && s.length >= MIN_ECHO))].flatMap((s) => s ?? []);
}

/** An answer without the credential that it was asked with. */
export function withoutEchoes(bytes: Buffer, echoes: readonly string[]): Buffer {
  let out = bytes;
  for (const e of echoes) {
    const seek = Buffer.from(e);
    if (!out.includes(seek)) continue;
    const parts: Buffer[] = [];
    let from = 0;
    for (let at = out.indexOf(seek); at !== -1; at = out.indexOf(seek, from)) {
      parts.push(out.subarray(from, at), Buffer.from('[credential]'));
      from = at + seek.length;
    }
    out = Buffer.concat([...parts, out.subarray(from)]);
  }
  return out;
}
