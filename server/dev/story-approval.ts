import type { Agent } from './agent.ts';
import { textOf } from './agent.ts';
import { displayName, people } from './people.ts';
import { expect, list, type Api, type Json, type StepOf } from './story-parts.ts';
import type { Browser } from './browser.ts';

/** What this chapter is told with: the CRM, an agent of the sales lead, and the owner's own browser. */
export type ApprovalScene = {
  api: Api;
  connector: string;
  /** The group whose members' agents may delete, after somebody agrees. */
  group: string;
  /** Of somebody in that group. */
  agent: Agent;
  /** Somebody who is signed in to the portal. */
  decider: Browser;
  origin: string;
  org: string;
};

/**
 * A call that destroys something waits until another person agrees, and runs exactly once; the same call with one argument changed does not
 * run at all.
 */
export async function tellOfApproval(step: StepOf, s: ApprovalScene): Promise<void> {
  await step(async () => {
    await s.api('POST', '/rules', {
      name: 'Sales leads may delete after somebody agrees',
      who: { kind: 'group', group: s.group },
      connector: s.connector,
      tools: { classes: ['destructive'] },
      effect: 'allow',
      asks: 'always',
    });
    const bianca = s.agent;
    const call = { name: 'delete_deal', arguments: { id: 'deal-3' } };
    // A client that knows the newest revision comes again by itself and waits; what it gets first is the state that it waits with.
    const first = await bianca.client.callTool(call, { allowInputRequired: true });
    const held: Json = { ...first };
    const state = typeof held['requestState'] === 'string' ? held['requestState'] : '';
    expect(
      held['resultType'] === 'input_required' && state !== '',
      `the deletion did not wait: ${JSON.stringify(held)}`,
    );
    const [waiting] = list((await s.api('GET', '/approvals?state=pending&q=delete_deal'))['items']);
    const approval = String(waiting?.['id']);

    const decided = await decide(s, approval, String(waiting?.['hash']));
    expect(decided['state'] === 'approved', `it was not approved: ${JSON.stringify(decided)}`);

    const again = async (args: Json, requestState?: string): Promise<string> =>
      textOf(
        await bianca.client.callTool(
          { name: 'delete_deal', arguments: args, ...(requestState ? { requestState } : {}) },
          { allowInputRequired: true },
        ),
      );
    const other = await again({ id: 'deal-1' }, state);
    expect(other.startsWith('Not allowed: the arguments'), `another deal could be deleted with it: ${other}`);
    const done = await again({ id: 'deal-3' }, state);
    expect(done.includes('"deleted"'), `what was approved did not run: ${done}`);
    const twice = await again({ id: 'deal-3' }, state);
    expect(twice.startsWith('Not allowed: the approval was used already'), `it ran twice: ${twice}`);
    return {
      value: undefined,
      says: `${people.lead.given}'s agent wanted to delete a deal and had to wait; ${displayName(people.owner)} approved it, and it ran exactly once; the same call about another deal was refused`,
      look: `${s.origin}/approvals/${s.org}/${approval}`,
      details: [`the other deal: ${other.split('. ')[0] ?? ''}`, `a second time: ${twice.split('. ')[0] ?? ''}`],
    };
  });
}

/** As the portal does it: with the person's cookie, and the hash of what was looked at. */
export async function decide(
  s: Pick<ApprovalScene, 'origin' | 'org' | 'decider'>,
  approval: string,
  hash: string,
): Promise<Json> {
  const answer = await fetch(`${s.origin}/api/orgs/${s.org}/approvals/${approval}/decision`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      cookie: s.decider.cookies(new URL(s.origin)),
      origin: s.origin,
    },
    body: JSON.stringify({ verdict: 'approved', hash, reason: 'the customer left' }),
  });
  const got = await answer.text();
  if (!answer.ok) throw new Error(`${displayName(people.owner)} could not approve: ${answer.status} ${got}`);
  return JSON.parse(got) as Json;
}
