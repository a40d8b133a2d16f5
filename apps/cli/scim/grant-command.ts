import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { EXIT, usage } from './exit.ts';
import { changeMembers } from './members.ts';
import { findGroup, findUser, readMembers } from './read-target.ts';
import { needed, texts } from './scim-options.ts';
import type { RemoteUser } from './snapshot.ts';
import type { ScimCommand } from './run-scim.ts';

const options = { user: { type: 'string', multiple: true }, group: { type: 'string' } } as const;
const help = (verb: string, to: string): string => `gatehouse scim ${verb}: ${to}. Nobody else in the group is touched.
  --user E-MAIL         whose; may be repeated
  --group NAME|ID       which group`;

/** Puts people into one group, now. */
export const grantCommand: ScimCommand = {
  help: help('grant', 'put people into a group'),
  options,
  prepare: (v) => oneGroup('add', texts(v, 'user'), needed(v, 'group', 'the group, by name or id')),
};

/** Takes people out of one group, now. */
export const revokeCommand: ScimCommand = {
  help: help('revoke', 'take people out of a group'),
  options,
  prepare: (v) => oneGroup('remove', texts(v, 'user'), needed(v, 'group', 'the group, by name or id')),
};

function oneGroup(how: 'add' | 'remove', who: readonly string[], name: string): ReturnType<ScimCommand['prepare']> {
  if (who.length === 0) throw usage('--user is missing: the e-mail address of the person');
  return async ({ target, answer }) => {
    const group = await findGroup(target, name);
    if (!group)
      throw new Problem('missing', 'scim/no-group', {
        says: `there is no group ${name} at ${target.base}`,
        fix: 'gatehouse scim sync shows the groups; groups are made by the identity provider or by plan --manage-groups',
      });
    const users = new Map<string, RemoteUser>();
    for (const w of who) {
      const u = await findUser(target, w);
      if (!u)
        throw new Problem('missing', 'scim/no-user', {
          says: `there is no account ${w} at ${target.base}; nothing was changed`,
          fix: 'gatehouse scim sync shows the accounts that its SCIM manages; plan and apply make accounts',
        });
      users.set(u.id, u);
    }
    const there = async (): Promise<Set<string>> => {
      const now = await readMembers(target, group.id);
      return new Set(now === 'gone' ? [] : now.map((m) => m.id));
    };
    const before = await there();
    const todo = [...users.keys()].filter((id) => before.has(id) !== (how === 'add'));
    const failed = await changeMembers(target, group, how, todo, { begun: () => undefined, done: () => undefined });
    // What the target says is one thing; what it shows is the other.
    const after = todo.length > 0 ? await there() : before;
    const results = [...users.values()].map((u) => ({
      user: u.userName,
      id: u.id,
      result: !todo.includes(u.id) ? 'already' : after.has(u.id) === (how === 'add') ? 'done' : 'failed',
      says: failed.get(u.id)?.says ?? null,
    }));
    answer(
      results.map(
        (r) =>
          `${r.user} ${r.result === 'failed' ? `could not be ${how === 'add' ? 'put into' : 'taken out of'}` : `is ${r.result === 'already' ? 'already' : 'now'} ${how === 'add' ? 'in' : 'not in'}`} ${group.displayName}${r.says === null ? '' : `: ${r.says}`}`,
      ),
      {
        ok: results.every((r) => r.result !== 'failed'),
        group: { id: group.id, displayName: group.displayName },
        results,
      },
    );
    return results.some((r) => r.result === 'failed') ? EXIT.failed : EXIT.ok;
  };
}
