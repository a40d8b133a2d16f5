import { parseId, type Id } from '#kernel/id.ts';
import type { Bootstrapped } from '../bootstrap.ts';
import { company } from './people.ts';

/** Looks at everything and changes nothing. Added by hand, as somebody from outside is. */
export const auditor = { email: `otto@${company.domain}`, displayName: 'Otto Ohm' };

/** Makes the auditor a member, and says who that is. */
export async function addAuditor(origin: string, founded: Pick<Bootstrapped, 'org' | 'apiKey'>): Promise<Id<'usr'>> {
  const answer = await fetch(`${origin}/api/orgs/${founded.org}/members`, {
    method: 'POST',
    headers: { authorization: `Bearer ${founded.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ ...auditor, role: 'auditor' }),
  });
  const { user } = (await answer.json()) as { user?: string };
  const id = parseId('usr', user ?? '');
  if (!answer.ok || !id) throw new Error(`the auditor could not be added: HTTP ${answer.status}`);
  return id;
}

/** A member by address. */
export async function userOf(
  origin: string,
  founded: Pick<Bootstrapped, 'org' | 'apiKey'>,
  email: string,
): Promise<Id<'usr'>> {
  const list = await fetch(`${origin}/api/orgs/${founded.org}/members?q=${encodeURIComponent(email)}`, {
    headers: { authorization: `Bearer ${founded.apiKey}` },
  });
  const { items } = (await list.json()) as { items: { user: string }[] };
  const id = parseId('usr', items[0]?.user ?? '');
  if (!id) throw new Error(`${email} is no member`);
  return id;
}
