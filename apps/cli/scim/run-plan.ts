import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { accountMade, judge, judges, type Standing } from './judge.ts';
import { changeMembers } from './members.ts';
import { needsWord, removals, sentence, type GroupRef, type Operation, type Plan, type UserRef } from './plan-file.ts';
import type { Progress } from './progress.ts';
import { findGroup, findUser, readTarget, unfit } from './read-target.ts';
import { newGroupBody, newUserBody, switchBody } from './requests.ts';
import type { Done, State } from './state-file.ts';
import type { Answer, Ask, Target } from './target.ts';
import { field, textOf, type Json } from './wire.ts';

/** How a run ended. */
export type Ran = {
  /** Done by this run. */
  applied: number;
  /** So already, whoever did it. */
  already: number;
  /** Done by a run before this one. */
  before: number;
  failed: { n: number; what: string; says: string; fix: string | undefined }[];
};

/** After these nothing else would go better, so the run stops; the state says where. */
const stops = new Set([
  'scim/circuit-open',
  'scim/token-refused',
  'scim/told-to-wait',
  'scim/redirect',
  'egress/private-address',
  'egress/forbidden-address',
  'egress/plain-http',
  'egress/certificate',
]);

/** A create whose answer was lost is looked for and sent again this often. */
const CREATES = 5;
/** Some targets show a change a moment late. In milliseconds. */
const SETTLES = 2_000;

/**
 * Does what a plan says, and nothing that the plan's reader could not have expected: the target is read first, and if an operation would
 * now do something else, nothing is done at all. Each step is in the state before and after. At the end the target is read again, because a
 * success that changed nothing is not one.
 */
export async function runPlan(
  t: Target,
  plan: Plan,
  state: State,
  progress: Progress,
  allowRemovals: number | undefined,
): Promise<Ran> {
  if (plan.conflicts.length > 0)
    throw new Problem('conflict', 'scim/conflicts', {
      says: `the plan has ${plan.conflicts.length} conflict${plan.conflicts.length === 1 ? '' : 's'}: ${plan.conflicts.map((c) => c.says).join('; ')}`,
      fix: 'settle them in the file or at the target, and make the plan again',
    });
  if (needsWord(plan) && allowRemovals !== removals(plan))
    throw new Problem('conflict', 'scim/many-removals', {
      says: `the plan takes ${removals(plan)} accounts and memberships away, of ${plan.people} people; ${allowRemovals === undefined ? 'nobody has said that this is meant' : `${allowRemovals} were allowed`}`,
      fix: `if it is meant: --allow-removals ${removals(plan)}`,
    });
  const ran: Ran = { applied: 0, already: 0, before: state.done.size, failed: [] };
  if (state.done.size === plan.operations.length) return ran;

  const standing = judge(plan, await readTarget(t, progress, judges(plan)), state.done);
  const moves = [...standing].flatMap(([n, s]) => (s.is === 'moved' ? [`${say(plan, n)}: ${s.says}`] : []));
  if (moves.length > 0)
    throw new Problem('conflict', 'scim/target-moved', {
      says: `the target is not what the plan was made for; nothing was done:\n  ${moves.slice(0, 20).join('\n  ')}${moves.length > 20 ? `\n  and ${moves.length - 20} more` : ''}`,
      fix: 'make the plan again, read it, and apply that',
      more: { moved: moves.length },
    });
  const mine = new Set<number>();
  const so = new Map<number, Done>();
  for (const [n, s] of standing) if (s.is === 'already') so.set(n, { how: 'already', id: s.id });
  state.finishAll(so);
  ran.already += so.size;
  const runner = makeRunner(t, plan, state, ran, mine, progress);
  await runner.all();
  if (mine.size > 0) await prove(t, plan, state, ran, mine, progress);
  return ran;
}

const say = (plan: Plan, n: number): string => {
  const o = plan.operations[n];
  return o ? sentence(o).replaceAll(/ {2,}/g, ' ') : String(n);
};

function makeRunner(t: Target, plan: Plan, state: State, ran: Ran, mine: Set<number>, progress: Progress) {
  const finish = (ns: readonly number[], how: 'applied' | 'already', id?: string): void => {
    state.finish(ns, { how, id });
    ran[how] += ns.length;
    if (how === 'applied') for (const n of ns) mine.add(n);
    progress.step('applying', state.done.size, plan.operations.length);
  };
  const fail = (n: number, p: Problem): void => {
    if (stops.has(p.code)) throw p;
    ran.failed.push({ n, what: say(plan, n), says: p.says, fix: p.fix });
  };
  const idOf = (ref: UserRef | GroupRef): string | undefined => ('id' in ref ? ref.id : state.done.get(ref.made)?.id);

  const single = async (n: number, o: Exclude<Operation, { kind: 'grant' | 'revoke' }>): Promise<void> => {
    try {
      state.begin([n]);
      const { how, id } = await doOne(t, o, plan.deletes === 'soft');
      finish([n], how, id);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      fail(n, e);
    }
  };

  /** Neighbours that change the same group in the same way go together. */
  const together = async (ns: readonly number[], kind: 'grant' | 'revoke', group: GroupRef): Promise<void> => {
    const id = idOf(group);
    const byUser = new Map<string, number>();
    for (const n of ns) {
      const o = plan.operations[n];
      const user = o && 'user' in o ? idOf(o.user) : undefined;
      if (id !== undefined && user !== undefined) byUser.set(user, n);
      else
        fail(
          n,
          new Problem('conflict', 'scim/waits', {
            says: `what it needs was not made (${id === undefined ? group.displayName : 'the account'})`,
            fix: 'see the failure before this one; then run the same command again',
          }),
        );
    }
    if (id === undefined || byUser.size === 0) return;
    const numbers = (ids: readonly string[]): number[] => ids.map((u) => byUser.get(u) ?? -1);
    try {
      const failed = await changeMembers(
        t,
        { id, displayName: group.displayName },
        kind === 'grant' ? 'add' : 'remove',
        [...byUser.keys()],
        { begun: (ids) => state.begin(numbers(ids)), done: (ids) => finish(numbers(ids), 'applied') },
      );
      for (const [user, p] of failed) fail(byUser.get(user) ?? -1, p);
    } catch (e) {
      if (!(e instanceof Problem)) throw e;
      for (const n of byUser.values()) if (!state.done.has(n)) fail(n, e);
    }
  };

  return {
    async all(): Promise<void> {
      const todo = [...plan.operations.entries()].filter(([n]) => !state.done.has(n));
      for (let at = 0; at < todo.length; at++) {
        const [n, o] = todo[at] ?? [];
        if (n === undefined || o === undefined) continue;
        if (o.kind !== 'grant' && o.kind !== 'revoke') {
          await single(n, o);
          continue;
        }
        const same = [n];
        for (let next = todo[at + 1]; next && alike(o, next[1]); next = todo[at + 1]) {
          same.push(next[0]);
          at++;
        }
        await together(same, o.kind, o.group);
      }
    },
  };
}

const alike = (a: Operation, b: Operation): boolean =>
  a.kind === b.kind && 'group' in a && 'group' in b && JSON.stringify(a.group) === JSON.stringify(b.group);

type One = { how: 'applied' | 'already'; id?: string };

async function doOne(t: Target, o: Exclude<Operation, { kind: 'grant' | 'revoke' }>, soft: boolean): Promise<One> {
  switch (o.kind) {
    case 'create_user':
      return make(t, '/Users', newUserBody(o), o.userName, async () => {
        const u = await findUser(t, o.userName);
        return accountMade(o, u ? [u] : [], soft);
      });
    case 'create_group':
      return make(t, '/Groups', newGroupBody(o.displayName), o.displayName, async () => {
        const g = await findGroup(t, o.displayName);
        return g ? { is: 'already', id: g.id } : { is: 'todo' };
      });
    case 'switch_on_user':
      return switchUser(t, o.user, true);
    case 'delete_user':
      return soft
        ? switchUser(t, o.user, false)
        : remove(t, `/Users/${encodeURIComponent(o.user.id)}`, o.user.userName);
    case 'delete_group':
      return remove(t, `/Groups/${encodeURIComponent(o.group.id)}`, o.group.displayName);
  }
}

/** Makes a resource once, though an answer may be lost: before it is sent again, it is looked for. */
async function make(
  t: Target,
  path: '/Users' | '/Groups',
  body: Json,
  name: string,
  look: () => Promise<Standing>,
): Promise<One> {
  const ask: Ask = { method: 'POST', path, body, once: true };
  for (let n = 1; ; n++) {
    let a: Answer;
    try {
      a = await t.ask(ask);
    } catch (e) {
      if (!(e instanceof Problem) || e.code !== 'scim/unsure') throw e;
      const found = await look();
      if (found.is === 'already' && found.id !== undefined) return { how: 'applied', id: found.id };
      if (n >= CREATES || found.is === 'moved') throw e;
      continue;
    }
    if (a.ok) {
      const id = a.body && textOf(a.body, 'id');
      if (id !== undefined) return { how: 'applied', id };
    }
    const taken = a.status === 409 || (a.status === 400 && a.body && field(a.body, 'scimType') === 'uniqueness');
    if (a.ok || taken) {
      const found = await look();
      if (found.is === 'already' && found.id !== undefined) return { how: a.ok ? 'applied' : 'already', id: found.id };
      if (found.is === 'moved')
        throw new Problem('conflict', 'scim/taken', { says: found.says, fix: 'make the plan again' });
    }
    throw unfit(`to make ${name}`, a);
  }
}

async function remove(t: Target, path: string, name: string): Promise<One> {
  const a = await t.ask({ method: 'DELETE', path });
  if (a.ok || a.status === 404) return { how: 'applied' };
  throw unfit(`to delete ${name}`, a);
}

async function switchUser(t: Target, user: { id: string; userName: string }, on: boolean): Promise<One> {
  const path = `/Users/${encodeURIComponent(user.id)}`;
  const what = `to switch ${user.userName} ${on ? 'on' : 'off'}`;
  if (t.profile.update === 'patch') {
    const a = await t.ask({ method: 'PATCH', path, body: switchBody(t.profile, on) });
    if (a.ok || (!on && a.status === 404)) return { how: 'applied' };
    throw unfit(what, a);
  }
  const now = await t.ask({ method: 'GET', path });
  if (!on && now.status === 404) return { how: 'applied' };
  if (!now.ok || !now.body) throw unfit(what, now);
  const { meta: _meta, groups: _groups, ...rest } = now.body;
  const a = await t.ask({
    method: 'PUT',
    path,
    body: { ...rest, active: on },
    ifMatch: t.profile.ifMatch ? now.etag : undefined,
  });
  if (a.ok) return { how: 'applied' };
  throw unfit(what, a);
}

/** Reads the target again and takes back what is not so. */
async function prove(
  t: Target,
  plan: Plan,
  state: State,
  ran: Ran,
  mine: ReadonlySet<number>,
  progress: Progress,
): Promise<void> {
  const open = async (): Promise<number[]> => {
    const now = judge(plan, await readTarget(t, progress, judges(plan)), state.done, (n) => mine.has(n));
    return [...mine].filter((n) => (now.get(n)?.is ?? 'already') !== 'already');
  };
  let unproved = await open();
  if (unproved.length > 0) {
    await t.timers.sleep(SETTLES);
    unproved = await open();
  }
  if (unproved.length === 0) return;
  state.reopen(unproved);
  ran.applied -= unproved.length;
  for (const n of unproved)
    ran.failed.push({
      n,
      what: say(plan, n),
      says: 'the target said that it is done, and it is not',
      fix: 'run the same command again; if it stays so, a profile may say how this target differs',
    });
}
