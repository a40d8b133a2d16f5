/** Something in a definition that a reviewer should look at before he believes it. `at` is a JSON pointer. */
export type Flag = { at: string; what: string };

const suspects: readonly { what: string; in: RegExp }[] = [
  { what: 'control characters or terminal escapes', in: /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/ },
  { what: 'characters that reorder text', in: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/ },
  { what: 'invisible characters', in: /[\u00ad\u200b-\u200d\u2060-\u2064\ufeff]|[\u{e0000}-\u{e0fff}]/u },
  { what: 'a tag that looks like an instruction', in: /<\s*\/?\s*(important|system|instructions?|secret|admin)\b/i },
  {
    what: 'an instruction to the model',
    in: /\b(ignore|disregard|forget)\b.{0,40}\b(previous|prior|above|earlier|all)\b.{0,40}\b(instructions?|rules?|prompts?)\b/is,
  },
  {
    what: 'a request to keep something from the person',
    in: /\b(do not|don't|never|without)\b.{0,30}\b(tell|mention|inform|notify|show|reveal)(ing)?\b.{0,30}\b(users?|person|human|anyone)\b/is,
  },
  {
    what: 'a request to read keys or private files',
    in: /(~\/\.ssh|id_rsa|\.env\b|mcp\.json|\/etc\/passwd|credentials\.json)/i,
  },
  { what: 'a long run of encoded text', in: /[A-Za-z0-9+/=]{400,}/ },
];

/** Flags are advice for the reviewer, never a decision: an attacker can word around any list. Names of properties are looked at like values. */
export function scanDefinition(definition: unknown): Flag[] {
  const flags: Flag[] = [];
  const look = (text: string, at: string): void => {
    for (const s of suspects) if (s.in.test(text)) flags.push({ at: at || '/', what: s.what });
  };
  const walk = (v: unknown, at: string): void => {
    if (flags.length >= 50) return;
    if (typeof v === 'string') look(v, at);
    else if (Array.isArray(v)) v.forEach((item, i) => walk(item, `${at}/${i}`));
    else if (typeof v === 'object' && v !== null)
      for (const [k, item] of Object.entries(v)) {
        const below = `${at}/${k.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 80)}`;
        look(k, below);
        walk(item, below);
      }
  };
  walk(definition, '');
  return flags;
}
