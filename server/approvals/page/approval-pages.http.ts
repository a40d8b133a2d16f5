import { z } from 'zod';
import { html, render, type Html } from '#kernel/html.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { containing } from '#kernel/list.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { reveal } from '#kernel/reveal.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import type { Approval } from '../approval.ts';
import { approvalBody, shownPieces } from './approval-page.ts';
import { listApprovals } from '../approval.sql.ts';
import { approvalScreen, titleOf } from './approval-screen.ts';
import { idOf, inOrg } from '../approvals.http.ts';
import { cancelApproval } from '../cancel-approval.ts';
import { decideApprovals } from '../decide-approvals.ts';
import { listDecidable } from '../list-decidable.ts';
import { personOf } from '../person.ts';
import { readApproval } from '../read-approval.ts';
import { revokeGrant } from '../revoke-grant.ts';
import type { Upstairs } from '../tools.ts';

const OneOrg = z.object({ org: z.string() });
const OneApproval = z.object({ org: z.string(), approval: z.string() });
const Search = z.object({ q: z.string().max(100).optional() });
const form = ['application/x-www-form-urlencoded'];
const styles = ['/assets/approval.css'];

const LISTED = 50;

const to = (location: string): Response =>
  new Response(null, { status: 303, headers: { location, 'cache-control': 'no-store' } });

/** The pages on which people decide, until the portal takes them over. Refusals are the same as the API's, in words. */
export const approvalPages = (up: Upstairs): readonly Operation[] => [
  page({
    id: 'approvals.my_page',
    at: 'GET /approvals',
    can: 'signed_in',
    says: 'Leads whoever is signed in to what waits for them, in the organization that they choose.',
    async handle(ctx) {
      const { actor } = ctx;
      const orgs =
        actor.kind === 'user' ? await ctx.db.read({ parent: ctx.parent }, (db) => listOrgsOfUser(db, actor.id)) : [];
      const [only, ...more] = orgs;
      if (only && more.length === 0) return to(`/approvals/${only.org}`);
      return render({
        title: 'Approvals',
        styles,
        body: html`<div class="inbox"><h1>Approvals</h1>
          ${orgs.length === 0 ? html`<p>You are a member of no organization, so nothing can wait for you.</p>` : html`<p>In which organization?</p><ul class="waiting">${orgs.map((o) => html`<li><a href="/approvals/${o.org}">${o.name}</a></li>`)}</ul>`}
        </div>`,
      });
    },
  }),
  page({
    id: 'approvals.inbox_page',
    at: 'GET /approvals/:org',
    can: 'signed_in',
    says: 'Shows what waits for whoever is signed in, and what their own agents asked for. Without arguments: those are on each page.',
    params: OneOrg,
    query: Search,
    async handle(anywhere, { query }) {
      const ctx = inOrg(anywhere);
      const { user } = personOf(ctx);
      const q = containing(query.q);
      const { items, next } = await listDecidable(ctx, up, { q, before: undefined, limit: LISTED });
      const own = await ctx.db.read(scopeOf(ctx), (db) =>
        listApprovals(db, { q, state: undefined, askedBy: user, before: undefined, now: ctx.now, limit: 20 }),
      );
      const waiting = items.map((i) => i.approval);
      const rows = await rowsOf(ctx, up, [...waiting, ...own]);
      return render({
        title: 'Approvals',
        styles,
        body: html`<div class="inbox">
          <h1>${waiting.length === 0 ? 'Nothing waits for you' : `${waiting.length}${next ? ' or more' : ''} ${waiting.length === 1 ? 'call waits' : 'calls wait'} for you`}</h1>
          <p>Agents ask here before they do what your rules want a person to see first.</p>
          <form class="find" method="get"><input type="text" name="q" value="${query.q ?? ''}" aria-label="Search tool, connector or id" placeholder="Tool, connector or id" /><button class="btn">Search</button></form>
          ${waiting.length === 0 ? html`<p class="empty">${query.q ? html`Nothing that waits matches “${query.q}”. <a href="/approvals/${ctx.org}">Take the search away</a>` : 'When an agent needs your yes, its call is listed here, and a mail says so.'}</p>` : html`<ul class="waiting">${waiting.map((a) => rows.get(a.id))}</ul>`}
          ${next && html`<p class="note">The ${LISTED} newest are shown. Search, or decide some of these first.</p>`}
          ${own.length > 0 && html`<h2>Your agents asked</h2><ul class="waiting">${own.map((a) => rows.get(a.id))}</ul>`}
        </div>`,
      });
    },
  }),
  page({
    id: 'approvals.page',
    at: 'GET /approvals/:org/:approval',
    can: 'signed_in',
    says: 'Shows one call that waits, whole and in plain text, to somebody who may see it. Leaves an event, because arguments are content.',
    discloses: true,
    params: OneApproval,
    async handle(anywhere, { params }) {
      const ctx = inOrg(anywhere);
      const { approval, judgement } = await readApproval(ctx, up, idOf(params.approval));
      const screen = await approvalScreen(ctx, up, approval, judgement);
      return render({
        title: screen.title,
        styles,
        scripts: [
          ...(screen.act.kind === 'decide' && screen.act.fresh ? ['/assets/webauthn.js'] : []),
          '/assets/approval.js',
        ],
        body: approvalBody(screen),
      });
    },
  }),
  page({
    id: 'approvals.approve_on_page',
    at: 'POST /approvals/:org/:approval/approve',
    can: 'signed_in',
    says: 'Approves the call whose hash the page showed.',
    params: OneApproval,
    accepts: form,
    body: z.strictObject({ hash: z.string().max(64) }),
    async handle(ctx, { params, body }) {
      const items = [{ approval: idOf(params.approval), hash: body.hash }];
      await decideApprovals(inOrg(ctx), up, { items, verdict: 'approved' });
      return to(`/approvals/${params.org}/${params.approval}`);
    },
  }),
  page({
    id: 'approvals.deny_on_page',
    at: 'POST /approvals/:org/:approval/deny',
    can: 'signed_in',
    says: 'Denies the call; the agent is told, with the reason if there is one.',
    params: OneApproval,
    accepts: form,
    body: z.strictObject({ reason: z.string().max(1000).default('') }),
    async handle(ctx, { params, body }) {
      const items = [{ approval: idOf(params.approval) }];
      await decideApprovals(inOrg(ctx), up, { items, verdict: 'denied', reason: body.reason.trim() || undefined });
      return to(`/approvals/${params.org}/${params.approval}`);
    },
  }),
  page({
    id: 'approvals.cancel_on_page',
    at: 'POST /approvals/:org/:approval/cancel',
    can: 'signed_in',
    says: 'Takes back a request of one’s own agent.',
    params: OneApproval,
    async handle(ctx, { params }) {
      await cancelApproval(inOrg(ctx), idOf(params.approval));
      return to(`/approvals/${params.org}/${params.approval}`);
    },
  }),
  page({
    id: 'approvals.revoke_on_page',
    at: 'POST /approvals/:org/:approval/revoke',
    can: 'signed_in',
    says: 'Takes back a yes that was not used yet.',
    params: OneApproval,
    async handle(ctx, { params }) {
      await revokeGrant(inOrg(ctx), idOf(params.approval));
      return to(`/approvals/${params.org}/${params.approval}`);
    },
  }),
];

const stateWords: Record<Approval['state'], string> = {
  pending: 'waits',
  approved: 'approved',
  denied: 'denied',
  expired: 'expired, undecided',
  cancelled: 'taken back',
  superseded: 'replaced',
};

async function rowsOf(ctx: OrgCtx, up: Upstairs, all: readonly Approval[]): Promise<Map<string, Html>> {
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const rows = new Map<string, Html>();
    for (const a of all) {
      const { title } = await titleOf(db, up, a);
      const until = a.state === 'pending' ? `until ${a.expires.toISOString().slice(11, 16)} UTC` : stateWords[a.state];
      rows.set(
        a.id,
        html`<li><a href="/approvals/${ctx.org}/${a.id}">${shownPieces(reveal(title))}</a><span class="note">${until}</span><small><span class="tag">${a.class}</span> asked ${a.asked.toISOString().slice(0, 16).replace('T', ' ')} UTC by ${shownPieces(reveal(a.asker.client))}</small></li>`,
      );
    }
    return rows;
  });
}
