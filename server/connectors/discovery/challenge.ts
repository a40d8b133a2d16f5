/** What a resource server says of a token that is missing or too small (RFC 6750 §3, RFC 9728 §5.1). */
export type Challenge = {
  resourceMetadata: string | undefined;
  scopes: readonly string[] | undefined;
  error: string | undefined;
};

/** Longer than any honest header; what is above is not read. */
const MAX_HEADER = 8192;
const MAX_SCOPES = 100;
const MAX_SCOPE = 200;
/** RFC 6749 §3.3. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/** Reads `WWW-Authenticate` (RFC 9110 §11.6.1): the first challenge for Bearer tokens among several, in one header or more. Undefined: there is none. */
export function readChallenge(header: string | readonly string[] | null | undefined): Challenge | undefined {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  if (text.length > MAX_HEADER) return undefined;
  const bearer = challengesIn(text).find((c) => c.scheme === 'bearer');
  if (!bearer) return undefined;
  const { params } = bearer;
  const scope = params.get('scope');
  return {
    resourceMetadata: params.get('resource_metadata'),
    scopes: scope === undefined ? undefined : scopesIn(scope.split(' ')),
    error: params.get('error'),
  };
}

/** Scopes that are ones, each once; more than anybody reviews are left out. */
export const scopesIn = (said: readonly string[]): string[] =>
  [...new Set(said.filter((s) => s.length <= MAX_SCOPE && scopeToken.test(s)))].slice(0, MAX_SCOPES);

type Read = { scheme: string; params: Map<string, string> };

/**
 * A scheme is a token with a space behind it and no `=`; parameters follow, with commas between them and between challenges. A parameter that is
 * twice there counts the first time.
 */
function challengesIn(text: string): Read[] {
  const found: Read[] = [];
  const part =
    /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([!#$%&'*+./:=^_`|~0-9A-Za-z-]*))|(?=\s|,|$))/y;
  for (let m = part.exec(text); m !== null && m[0] !== ''; m = part.exec(text)) {
    const [, name = '', quoted, plain] = m;
    const value = quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1');
    if (value === undefined) found.push({ scheme: name.toLowerCase(), params: new Map() });
    else {
      const params = found.at(-1)?.params;
      if (params && !params.has(name.toLowerCase())) params.set(name.toLowerCase(), value);
    }
  }
  return found;
}
