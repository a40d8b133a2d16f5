import { readMe } from '@gatehouse/client/identity.ts';
import { readPlace } from '@gatehouse/client/mine.ts';
import type { Ask } from './ask.ts';
import type { Here, May } from './org.tsx';

/** What a permission that the server does not know is: a fault of ours, said as a refusal so that nothing is offered by mistake. */
const unknown = {
  ok: false,
  says: 'this server does not know what that needs',
  fix: 'load the page again',
} satisfies May;

/** Who I am in an organization and what I may do there, in the server's words. */
export async function hereOf(ask: Ask, org: string): Promise<Here> {
  const [me, place] = await Promise.all([ask(readMe, {}), ask(readPlace, { org })]);
  const may = new Map<string, May>(
    place.permissions.map((p) => [
      p.permission,
      p.allowed ? { ok: true } : p.refusal ? { ok: false, says: p.refusal.says, fix: p.refusal.fix } : unknown,
    ]),
  );
  may.set('signed_in', { ok: true });
  return {
    org,
    orgName: place.org.name,
    me: {
      user: place.user.id,
      member: place.member,
      name: place.user.displayName,
      email: place.user.email,
      role: place.role,
      session: place.session,
    },
    orgs: me.orgs,
    may: (permission) => may.get(permission) ?? unknown,
  };
}
