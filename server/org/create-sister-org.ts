import { change } from '#audit/change.ts';
import { elsewhere } from '#audit/elsewhere.sql.ts';
import { event } from '#audit/events.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { mergeEvents } from './merge.events.ts';
import { inPerson } from './merge-steps.ts';
import { refuseBeyondReach } from './member.ts';
import { insertMember } from './member.sql.ts';
import { orgEvents } from './org.events.ts';
import type { Org } from './org.ts';
import { permissionsOfActor } from './actor.ts';
import { insertOrg } from './org.sql.ts';

/** Makes another organization under the same parent, of which the one who makes it is the primary owner. It shares people and sign-in, nothing else. */
export const createSisterOrg = (ctx: OrgCtx, wanted: Pick<Org, 'name' | 'surface'>): Promise<Org> =>
  change(ctx, async (tx) => {
    const owner = inPerson(ctx);
    refuseBeyondReach(await permissionsOfActor(tx, ctx), 'primary_owner');
    const org: Org = { id: newId('org', ctx.now.getTime()), ...wanted, region: 'local', createdAt: ctx.now };
    await insertOrg(tx, org);
    await elsewhere(tx, ctx, { parent: ctx.parent, org: org.id }, async () => {
      await insertMember(tx, { id: newId('mem', ctx.now.getTime()), user: owner, role: 'primary_owner' }, ctx.now);
      return [event(orgEvents, 'org.founded', { org: org.id, surface: org.surface, owner })];
    });
    return {
      value: org,
      events: [event(mergeEvents, 'org.sister_created', { org: org.id, surface: org.surface })],
    };
  });
