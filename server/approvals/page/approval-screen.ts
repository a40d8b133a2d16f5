import { hashWords } from '@gatehouse/contract/hash-words.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { scopeOf } from '#kernel/ctx.ts';
import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { findOrg } from '#org/org.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import type { PolicySet } from '#policy/decide.ts';
import { wordsOf, type Rule } from '#policy/rule.ts';
import type { Approval } from '../approval.ts';
import type { ApprovalScreen } from './approval-page.ts';
import type { Judgement } from '../judge.ts';
import { personOf } from '../person.ts';
import { renderAction } from './rendered-action.ts';
import type { Upstairs } from '../tools.ts';

/** "Cleo Marchetti's agent wants to use delete_deal of CRM". */
export async function titleOf(db: Reader, up: Upstairs, a: Approval): Promise<{ asker: string; title: string }> {
  const asker = (await findUser(db, a.asker.user))?.displayName ?? a.asker.user;
  const connector = parseId('con', a.action.connector);
  const name = (connector && (await up.connectorName(db, connector))) ?? a.action.connector;
  return { asker, title: `${asker}’s agent wants to use ${a.action.tool} of ${name}` };
}

/** Everything that the page of one approval shows, from the rows as they are now. */
export async function approvalScreen(
  ctx: OrgCtx,
  up: Upstairs,
  a: Approval,
  judgement: Judgement | undefined,
): Promise<ApprovalScreen> {
  const me = personOf(ctx).user;
  return ctx.db.read(scopeOf(ctx), async (db) => {
    const { asker, title } = await titleOf(db, up, a);
    const org = (await findOrg(db, ctx.org))?.name ?? 'your organization';
    const connector = parseId('con', a.action.connector);
    const tool = connector && (await up.findTool(db, connector, a.action.tool));
    const call = renderAction(whole(a), {
      projection: tool?.projection ?? [],
      home: await up.homeDomains(db),
      org,
    });
    const rules = rulesBehind(judgement, await loadPolicySet(db));
    const decider = a.state === 'approved' || a.state === 'denied' ? await findUser(db, a.decided.by) : undefined;
    return {
      path: `/approvals/${ctx.org}/${a.id}`,
      title: call.outside > 0 ? `${title}, with ${people(call.outside)} outside ${org}` : title,
      tool: a.action.tool,
      class: a.class,
      client: a.asker.client,
      asked: a.asked,
      until: a.expires,
      call,
      hash: a.hash,
      words: hashWords(a.hash),
      says: a.says ?? undefined,
      asker,
      why: (await readWords(db, up, a)) + whyAsked(a, rules),
      rules: rules.map(({ id, name: called }) => ({ id, name: called })),
      act: actOf(ctx.org, a, judgement, me, decider?.displayName),
    };
  });
}

const people = (n: number): string => (n === 1 ? '1 person' : `${n} people`);

/** What stands beside a tool's arguments in a call is shown like them: it is in the hash, too. */
const whole = (a: Approval): unknown =>
  a.action.also === null ? a.action.args : { arguments: a.action.args, beside: a.action.also };

/** From where the agent had read before it asked, where that is known: which tools of which systems, and never what they said. */
async function readWords(db: Reader, up: Upstairs, a: Approval): Promise<string> {
  const read = a.hasRead ?? [];
  const of = async (kind: 'untrusted' | 'private'): Promise<string> => {
    const names = await Promise.all(
      read
        .filter((s) => s[kind])
        .map(async (s) => {
          const connector = parseId('con', s.connector);
          return `${s.tool} of ${(connector && (await up.connectorName(db, connector))) ?? s.connector}`;
        }),
    );
    return names.join(', ');
  };
  const [untrusted, own] = [await of('untrusted'), await of('private')];
  if (untrusted === '' || own === '') return '';
  return `Before this call, the agent has read text that outsiders can have written (${untrusted}) and private content (${own}). Such text can tell an agent to send out what it has read: check where this goes. `;
}

/** The rules that want whoever looks to say yes. */
function rulesBehind(j: Judgement | undefined, set: PolicySet): Rule[] {
  const ids = (j?.may ? j.policies : []).flatMap((id) => parseId('rul', id.split(':')[0] ?? '') ?? []);
  return [...new Set(ids)].flatMap((id) => set.rules.get(id) ?? []);
}

function whyAsked(a: Approval, rules: readonly Rule[]): string {
  const once = 'A yes is for exactly this call, once, for 10 minutes.';
  if (a.askedFor === 'content') return `What the call would send was found to need somebody’s yes. ${once}`;
  if (a.askedFor === 'session') return `The rules let this run but for what was read. ${once}`;
  const said = rules.map((r) => `${r.name}: ${wordsOf(r)}.`);
  return `${said.length > 0 ? said.join(' ') : 'The rules of your organization want somebody’s yes.'} ${once}`;
}

const clock = (d: Date): string => `${d.toISOString().slice(0, 19).replace('T', ' ')} UTC`;

function actOf(
  org: Id<'org'>,
  a: Approval,
  j: Judgement | undefined,
  me: Id<'usr'>,
  decider: string | undefined,
): ApprovalScreen['act'] {
  const mine = a.asker.user === me;
  switch (a.state) {
    case 'pending': {
      const api = `/api/orgs/${org}/approvals/${a.id}`;
      if (j?.may) return { kind: 'decide', fresh: undefined };
      if (j?.elsewhere && j.missing === 'fresh')
        return { kind: 'decide', fresh: { begin: `${api}/proof-options`, finish: `${api}/decision` } };
      if (j?.elsewhere) return { kind: 'deny_only', because: sentence(`${j.says}; ${j.fix}`) };
      const because = sentence(j && !j.may ? `${j.says}; ${j.fix}` : 'others decide this');
      return mine ? { kind: 'own', because } : { kind: 'watch', because };
    }
    case 'approved':
      return {
        kind: 'over',
        state: `Approved ${clock(a.decided.at)}`,
        says: `by ${decider ?? a.decided.by}${a.decided.fresh ? ' with a passkey' : ''}. ${grantWords(a)}`,
        revocable: a.grant.state === 'unused' && (mine || a.decided.by === me),
      };
    case 'denied':
      return {
        kind: 'over',
        state: `Denied ${clock(a.decided.at)}`,
        says: `by ${decider ?? a.decided.by}. The agent was told so${a.decided.reason === null ? '' : `: ${a.decided.reason}`}.`,
        revocable: false,
      };
    case 'expired':
      return {
        kind: 'over',
        state: `Expired ${clock(a.ended)}`,
        says: 'Nobody decided in time. That is no denial: a new call asks anew.',
        revocable: false,
      };
    case 'cancelled':
      return {
        kind: 'over',
        state: `Taken back ${clock(a.ended)}`,
        says: a.why === 'asker_gone' ? 'Whoever’s agent asked is suspended or gone.' : 'It does not wait any more.',
        revocable: false,
      };
    case 'superseded':
      return {
        kind: 'over',
        state: `Replaced ${clock(a.ended)}`,
        says: {
          newer: 'The agent asked anew, in other words.',
          definition: 'The tool is not the one any more that this was about.',
          policy: 'The rules do not allow the call any more.',
        }[a.why],
        revocable: false,
      };
  }
}

function grantWords({ grant: g }: Approval & { state: 'approved' }): string {
  switch (g.state) {
    case 'unused':
      return `The agent has until ${clock(g.expires)} to run it${g.most > 1 ? `, ${g.used} of ${g.most} times so far` : ', once'}.`;
    case 'used':
      return `It ran${g.most > 1 ? ` ${g.used} of ${g.most} times` : ''}${g.lastCall === null ? '' : ` as ${g.lastCall}`}.`;
    case 'expired':
      return g.used === 0 ? 'It was not run in time.' : `It ran ${g.used} of ${g.most} times.`;
    case 'revoked':
      return 'The yes was taken back.';
  }
}

const sentence = (clause: string): string => `${clause.slice(0, 1).toUpperCase()}${clause.slice(1)}.`;
