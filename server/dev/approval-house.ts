import { approvalAdminOperations } from '#approvals/approval-admin.http.ts';
import { hashOf, type Approval, type Asker } from '#approvals/approval.ts';
import { approvalScreenOperations } from '#approvals/page/approval-screen.http.ts';
import { approvalPages } from '#approvals/page/approval-pages.http.ts';
import { approvalOperations } from '#approvals/approvals.http.ts';
import { ask } from '#approvals/ask.ts';
import type { ReviewedTool, Tools, Upstairs } from '#approvals/tools.ts';
import { useGrant } from '#approvals/use-grant.ts';
import { scopeOf, type OrgCtx } from '#kernel/ctx.ts';
import { newId, type Id } from '#kernel/id.ts';
import { addRule } from '#policy/add-rule.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import type { Approvers } from '#policy/approvers.ts';
import type { RuleDraft } from '#policy/rule.ts';
import { asking } from './asking.ts';
import type { Browser } from './browser.ts';
import { doorHouse, type Answer, type DoorHouse } from './door-house.ts';

export type Over = NonNullable<Parameters<typeof asking>[2]>;
export type HouseMember = {
  asker: Asker;
  user: Id<'usr'>;
  member: Id<'mem'>;
  browser: Browser;
  /** What a browser of this person sends to the API. */
  headers: Record<string, string>;
};

/** An organization whose approvals are decided over the API; tools are what `tools` says that their reviewer left. */
export type ApprovalHouse = {
  h: DoorHouse;
  /** By name, at every connector; what is not in it is `delete_deal`, destructive. */
  tools: Map<string, ReviewedTool>;
  port: Tools;
  ctx(): OrgCtx;
  person(name: string, role?: 'user' | 'admin'): Promise<HouseMember>;
  /** Lets everyone use destructive tools with somebody's yes, unless `draft` says otherwise. */
  rule(
    draft: { name: string; approvers?: Approvers } & Partial<Pick<RuleDraft, 'who' | 'connector' | 'tools' | 'when'>>,
  ): Promise<Id<'rul'>>;
  asked(who: { asker: Asker }, over?: Over): Promise<Approval>;
  /** The id of the approval that paid for this call. */
  use(who: { asker: Asker }, over?: Over): Promise<Id<'apr'> | undefined>;
  decide(
    id: string,
    verdict: 'approved' | 'denied',
    by: { headers: Record<string, string> },
    more?: object,
  ): Promise<Answer>;
  get(id: string, by?: { headers: Record<string, string> }): Promise<Answer>;
  at(path?: string): string;
  told(type: string, id: string): Promise<{ data: Record<string, unknown> }[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const PIN = 'a'.repeat(64);

export async function approvalHouse(): Promise<ApprovalHouse> {
  const tools = new Map<string, ReviewedTool>();
  const usual: ReviewedTool = { pin: PIN, class: 'destructive', projection: [] };
  const port: Tools = { findTool: (_db, _connector, name) => Promise.resolve(tools.get(name) ?? usual) };
  const up: Upstairs = {
    ...port,
    connectorName: () => Promise.resolve('CRM'),
    homeDomains: () => Promise.resolve(['acme.example']),
  };
  const h = await doorHouse({
    operations: [...approvalOperations(up), ...approvalScreenOperations(up), ...approvalAdminOperations],
    pages: approvalPages(up),
  });
  const ctx = (): OrgCtx => ({ ...h.ctx, now: h.world.now() });
  const at = (path = ''): string => `/orgs/${h.acme.org}/approvals${path}`;
  const self: ApprovalHouse = {
    h,
    tools,
    port,
    ctx,
    at,
    async person(name, role = 'user') {
      const { user, member } = await h.addPerson(name, role);
      const browser = await h.browserOf(user);
      const cookie = browser.cookies(new URL(h.origin));
      const asker = { member, user, client: 'a-client', consent: `consent-of-${member}` };
      return { asker, user, member, browser, headers: { cookie, origin: h.origin } };
    },
    rule: async (draft) =>
      (
        await addRule(
          ctx(),
          {
            who: { kind: 'everyone' },
            connector: 'any',
            tools: { classes: ['destructive'] },
            effect: 'allow',
            asks: 'always',
            ...draft,
          },
          { hasConnector: () => Promise.resolve(true) },
        )
      ).id,
    asked: (who, over = {}) => ask(ctx(), asking(who.asker, h.acme.org, over)),
    async use(who, over = {}) {
      const { action, call } = asking(who.asker, h.acme.org, over);
      const set = await h.world.db.read(scopeOf(ctx()), loadPolicySet);
      const projection = tools.get(action.tool)?.projection ?? [];
      const used = await useGrant(ctx(), port, { asker: who.asker, action, call, projection, set });
      if (used && used.hash !== hashOf(action)) throw new Error('a grant was used for another action');
      return used?.approval;
    },
    decide: (id, verdict, by, more = {}) => h.api('POST', at(`/${id}/decision`), { verdict, ...more }, by.headers),
    get: (id, by) => h.api('GET', at(`/${id}`), undefined, by?.headers),
    told: async (type, id) => (await h.events(type)).filter((e) => e.data['approval'] === id),
    [Symbol.asyncDispose]: () => h[Symbol.asyncDispose](),
  };
  await self.rule({ name: 'what destroys asks' });
  return self;
}

/** A connector's id, of no connector that is there: this room does not look. */
export const someConnector = newId('con');
