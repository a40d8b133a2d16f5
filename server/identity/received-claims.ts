/** Proofs of one use, and hashes of what only the token endpoint gave. */
const notForShowing = new Set(['nonce', 'at_hash', 'c_hash', 's_hash', 'jti']);

/** Claims of an ID token as text, for showing to whoever manages the connection. */
export const receivedOf = (claims: object): { name: string; values: string[] }[] =>
  Object.entries(claims)
    .filter(([name]) => !notForShowing.has(name))
    .map(([name, value]: [string, unknown]) => ({
      name,
      values: (Array.isArray(value) ? value : [value]).map((v: unknown) =>
        typeof v === 'string' ? v : (JSON.stringify(v) ?? ''),
      ),
    }));
