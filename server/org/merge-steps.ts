import { elsewhere, type Place } from '#audit/elsewhere.sql.ts';
import { event, type AuditEvent } from '#audit/events.ts';
import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import type { Tx } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import { Problem } from '#kernel/problem.ts';
import { mergeEvents } from './merge.events.ts';
import { MERGE_FRESH_MS, noSuchMerge, type Merge, type Side } from './merge.ts';
import type { MergeDomain, MergePreview } from './merge-preview.ts';
import { previewMerge } from './merge-preview.ts';
import { listOwners, lockMerge, readMergeFacts, saveMergeStale } from './merge.sql.ts';
import type { MergeNews, MergeUpstairs } from './merge-upstairs.ts';

/** The organization that speaks for a side, where it was when the proposal was made. */
export const placeOf = (m: Merge, s: Side): Place & { org: Id<'org'> } =>
  s === 'joining' ? { parent: m.parent, org: m.org } : { parent: m.intoParent, org: m.intoOrg };

/** The proposal, taken for a step of one of its two organizations. Anybody else's is missing, and so is a draft of the other side. */
export async function takeMerge(tx: Tx, ctx: OrgCtx, id: Id<'mrg'>): Promise<{ merge: Merge; side: Side }> {
  const merge = await lockMerge(tx, id);
  if (!merge || (ctx.org !== merge.org && ctx.org !== merge.intoOrg)) throw noSuchMerge();
  const side = ctx.org === merge.org ? 'joining' : 'receiving';
  if (merge.state === 'draft' && side !== merge.proposedFrom) throw noSuchMerge();
  return { merge, side };
}

/** The person who acts, for steps that no key and no agent may take: whoever stole one must not give an organization away with it. */
export function inPerson(ctx: Ctx): Id<'usr'> {
  if (ctx.actor.kind === 'user') return ctx.actor.id;
  throw new Problem('forbidden', 'org/in-person', {
    says: 'this is done by a person who is signed in, not by a key',
    fix: 'let an owner sign in and do it',
  });
}

/** Refuses a sign-in that is older than ten minutes. */
export async function refuseStaleSignIn(ctx: Ctx, up: MergeUpstairs): Promise<void> {
  const at = await up.signedInAt(ctx);
  if (at && ctx.now.getTime() - at.getTime() <= MERGE_FRESH_MS) return;
  throw new Problem('forbidden', 'org/merge-not-fresh', {
    says: `this needs a sign-in of the last ${MERGE_FRESH_MS / 60_000} minutes`,
    fix: 'sign in again at /sign-in?max_age=0 and repeat it',
  });
}

/** The preview of now, with its hash. */
export async function compareSides(
  tx: Tx,
  ctx: Ctx,
  m: Merge,
  up: MergeUpstairs,
  hold: boolean,
): Promise<{ preview: MergePreview; hash: string }> {
  const facts = await readMergeFacts(tx, m.id, hold);
  const domains: MergeDomain[] = [];
  for (const side of ['joining', 'receiving'] as const)
    await elsewhere(tx, ctx, { parent: placeOf(m, side).parent, org: undefined }, async () => {
      domains.push(...(await up.domains(tx)).map((d) => ({ ...d, side })));
      return [];
    });
  return previewMerge(m, facts, domains);
}

/**
 * Tells a step to both sides: an event into the log of every place, and a mail to the owners of every organization among them, if there is news. Gives back
 * the events of the caller's own place, which go with its change.
 */
export async function tellPlaces(
  tx: Tx,
  home: OrgCtx,
  m: Merge,
  told: {
    places: readonly Place[];
    events: readonly [AuditEvent, ...AuditEvent[]];
    news: MergeNews | undefined;
    up: MergeUpstairs;
  },
): Promise<readonly [AuditEvent, ...AuditEvent[]]> {
  const mailed = new Set<string>();
  const mail = async (ctx: Ctx): Promise<void> => {
    if (ctx.org === undefined || told.news === undefined) return;
    // One person is told once, with one account or with two.
    const to = (await listOwners(tx)).filter((o) => !mailed.has(o.email));
    for (const o of to) mailed.add(o.email);
    await told.up.herald(tx, { ...ctx, org: ctx.org }, { what: told.news, merge: m.id, to: to.map((o) => o.user) });
  };
  await mail(home);
  for (const place of told.places) {
    if (place.parent === home.parent && place.org === home.org) continue;
    await elsewhere(tx, home, place, async (there) => {
      await mail(there);
      return told.events;
    });
  }
  return told.events;
}

/** The two organizations that talk. */
export const bothPlaces = (m: Merge): readonly Place[] => [placeOf(m, 'joining'), placeOf(m, 'receiving')];

/** Writes down that the preview is not true any more, and tells both sides. */
export async function turnStale(
  tx: Tx,
  home: OrgCtx,
  m: Merge,
  up: MergeUpstairs,
): Promise<readonly [AuditEvent, ...AuditEvent[]]> {
  await saveMergeStale(tx, m.id);
  const approvalsEnded = [m.joiningBy, m.receivingBy].filter((by) => by !== null).length;
  return tellPlaces(tx, home, m, {
    places: bothPlaces(m),
    events: [event(mergeEvents, 'org.merge_stale', { merge: m.id, approvalsEnded })],
    news: 'changed',
    up,
  });
}

/** Refuses an approval of what is not true any more. */
export const stalePreview = (): Problem =>
  new Problem('stale', 'org/merge-stale', {
    says: 'what the preview showed has changed since; approvals that were given have ended',
    fix: 'make a new preview, look at it and approve that one',
  });
