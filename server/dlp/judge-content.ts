import { createHmac } from 'node:crypto';
import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { actorId } from './actor-id.ts';
import { loadDlpView, type EnginesOf } from './dlp-view.ts';
import { dlpEvents } from './dlp.events.ts';
import type { Inspected } from './engine.ts';
import { judge, type Verdict } from './judge.ts';
import { keepContent } from './keep-content.ts';
import { sameRequest, type Asker, type Kept } from './quarantine.ts';
import { findKeptFor } from './quarantine.sql.ts';
import { redactJson } from './redact-json.ts';
import { takeReleased } from './take-released.ts';
import type { Phase } from './verdict.ts';

/** Content of a run or a file: what stands outside of any call. */
export type RunContent = {
  phase: Exclude<Phase, 'arguments' | 'result'>;
  content: unknown;
  session: string | undefined;
};

export type Judged = {
  verdict: Pick<Verdict, 'action' | 'findings' | 'reason' | 'reference'>;
  /** As it may go on, where something was taken out. */
  content: unknown;
  kept: Kept | undefined;
};

/**
 * Judges what a desk or a run is about to take in or give out, and does here what the gate does for calls: takes out, keeps, gives what was
 * released. The one who asks must do the rest: not go on with what is blocked or kept.
 */
export async function judgeContent(ctx: OrgCtx, c: RunContent, engines?: EnginesOf): Promise<Judged> {
  const text = JSON.stringify(c.content ?? null);
  const { view, groups, asker, email } = await ctx.db.read(scopeOf(ctx), async (db) => ({
    view: await loadDlpView(db, { seal: ctx.seal, org: ctx.org, engines }),
    ...(await whoAsks(db, ctx)),
  }));
  const what: Inspected = {
    phase: c.phase,
    org: ctx.org,
    connector: undefined,
    tool: undefined,
    class: undefined,
    actor: { type: ctx.actor.kind === 'user' ? 'user' : 'api_key', id: actorId(ctx.actor), email },
    session: c.session,
    call: ctx.request,
    content: c.content,
  };
  const v = await judge(view, what, groups);
  const key = ctx.seal.derive('same content outside of calls');
  const same = sameRequest(asker, createHmac('sha256', key).update(`${ctx.org}\0${c.phase}\0${text}`).digest('hex'));
  const judged = await concluded();
  if (judged.verdict.action === 'allow' && v.failed.length === 0) return judged;
  const data = {
    request: ctx.request,
    phase: c.phase,
    action: judged.verdict.action,
    findings: v.findings.slice(0, 100).map((f) => ({ ...f, hashes: [...f.hashes] })),
    failed: v.failed.map((f) => `${f.engine}: ${f.why}`).slice(0, 20),
    quarantine: judged.kept?.id ?? null,
  };
  return change(ctx, async () => ({ value: judged, events: [event(dlpEvents, 'dlp.content_judged', data)] }));

  async function concluded(): Promise<Judged> {
    const as = (action: Verdict['action'], content: unknown = c.content, kept?: Kept): Judged => ({
      verdict: { action, findings: v.findings, reason: v.reason, reference: v.reference },
      content: action === 'block' || action === 'quarantine' ? undefined : content,
      kept,
    });
    if (v.action === 'quarantine') {
      const earlier = await ctx.db.read(scopeOf(ctx), (db) => findKeptFor(db, same, ctx.now));
      if (earlier?.state === 'released' && (await takeReleased(ctx, earlier, ctx.request)) !== undefined)
        return as('alert', c.content, earlier);
      const kept = await keepContent(ctx, {
        phase: c.phase,
        same,
        call: ctx.request,
        connector: undefined,
        tool: undefined,
        asker,
        content: text,
        verdict: v,
      });
      return as('quarantine', undefined, kept);
    }
    if (v.redactions.length === 0 || v.action === 'block') return as(v.action);
    try {
      return as(v.action, JSON.parse(redactJson(text, [], v.redactions)));
    } catch {
      return as('block');
    }
  }
}

async function whoAsks(
  db: Reader,
  ctx: OrgCtx,
): Promise<{ asker: Asker; groups: Awaited<ReturnType<typeof groupsOfUser>>; email: string | undefined }> {
  if (ctx.actor.kind !== 'user')
    return { asker: { member: undefined, user: undefined, client: actorId(ctx.actor) }, groups: [], email: undefined };
  const member = await findMemberByUser(db, ctx.actor.id);
  return {
    asker: { member: member?.id, user: ctx.actor.id, client: 'portal' },
    groups: await groupsOfUser(db, ctx.actor.id),
    email: (await findUser(db, ctx.actor.id))?.email,
  };
}
