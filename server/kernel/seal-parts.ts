import type { Scope } from './db.ts';
import { parseId } from './id.ts';
import type { KmsRefusal } from './kms/kms.ts';
import { Problem } from './problem.ts';
import type { Aad } from './seal.ts';

export const wrongKey = (wrappedBy: readonly string[], have: string): Problem =>
  new Problem('unavailable', 'seal/wrong-key', {
    says: `the secrets in this database were sealed with the key ${wrappedBy.join(' or ')}, and the server has ${have}`,
    fix: 'give the server that key again (GATEHOUSE_KMS, GATEHOUSE_KMS_ALSO, GATEHOUSE_KEY_FILE); without it the secrets cannot be opened by anyone. To move to another key service, see docs/guides/keys.md',
  });

export const doesNotOpen = (what: string, because: unknown): Problem =>
  new Problem('bug', 'seal/does-not-open', {
    says: `${what} does not open: the row was moved, altered or rolled back since it was sealed`,
    fix: 'restore the row from a backup, or enter the secret again; if nobody changed the database by hand, treat it as tampering',
    because,
  });

export const retired = (scope: string, generation: number): Problem =>
  new Problem('unavailable', 'seal/key-retired', {
    says: `the key of generation ${generation} of ${scope}, which this secret needs, was destroyed on purpose`,
    fix: 'enter the secret again; nobody can open it any more',
  });

/** A key service's no, in the words of whose service it is. */
export function kmsRefused(e: KmsRefusal, own: boolean): Problem {
  const parts = { because: e, more: e.why === 'unreachable' ? { retryAfter: RETRY_SECONDS } : undefined };
  if (own)
    return e.why === 'gone'
      ? new Problem('unavailable', 'seal/org-key-gone', {
          ...parts,
          says: `the organization's own key no longer opens its secrets: ${e.says}`,
          fix: 'whoever runs the organization’s key service must enable the key, or let us use it again; until then its secrets cannot be opened by anyone',
        })
      : new Problem('unavailable', 'seal/org-key-unreachable', {
          ...parts,
          says: `the organization's own key service does not answer: ${e.says}`,
          fix: 'try again in a few seconds; if it stays so, whoever runs the organization’s key service must look',
        });
  return e.why === 'gone'
    ? new Problem('unavailable', 'seal/kms-gone', {
        ...parts,
        says: `the key service no longer opens our keys: ${e.says}`,
        fix: 'whoever runs this deployment must enable the key again, or let the server use it (docs/guides/keys.md)',
      })
    : new Problem('unavailable', 'seal/kms-unreachable', {
        ...parts,
        says: `the key service does not answer: ${e.says}`,
        fix: 'try again in a few seconds; what was open before goes on',
      });
}

/** When to come back; a key service that restarts takes about as long. */
const RETRY_SECONDS = 5;

export function rlsOf(scope: string): Scope {
  if (scope === 'deployment') return {};
  const org = parseId('org', scope);
  if (org) return { org };
  const parent = parseId('par', scope);
  if (parent) return { parent };
  throw new Problem('bug', 'seal/scope', {
    says: `a secret belongs to an org, a parent or the deployment, not to "${scope}"`,
  });
}

export const keyLabel = (scope: string, generation: number): Buffer =>
  lengthPrefixed(['gatehouse-scope-key-v1', scope, String(generation)]);

export const bind = (use: 'data key' | 'secret', head: Buffer, aad: Aad): Buffer =>
  lengthPrefixed([
    'gatehouse-seal-v1',
    use,
    head.toString('hex'),
    aad.table,
    aad.scope,
    aad.row,
    String(aad.generation),
  ]);

/** Each part after its length, so that no two lists of parts give the same bytes. */
function lengthPrefixed(parts: readonly string[]): Buffer {
  let size = 0;
  for (const p of parts) size += 4 + Buffer.byteLength(p);
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const p of parts) {
    const length = out.write(p, at + 4, 'utf8');
    at = out.writeUInt32BE(length, at) + length;
  }
  return out;
}
