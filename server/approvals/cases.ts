import { groupsOfUser } from '#directory/groups-of-user.sql.ts';
import type { Reader } from '#kernel/db.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { findMemberByUser } from '#org/member.sql.ts';
import { can } from '#org/roles.ts';
import type { PolicySet } from '#policy/decide.ts';
import type { Approval } from './approval.ts';
import { findManager } from './find-manager.ts';
import type { Case, Decider } from './judge.ts';
import type { Tools } from './tools.ts';

/** Reads what judging needs, each thing once however many requests are looked at. For one transaction. */
export type Cases = {
  /** Undefined: what was asked about is not there any more as it was. */
  of(a: Approval): Promise<Case | undefined>;
  /** Somebody with what counts about him now, towards this request; undefined where he is no member. */
  decider(user: Id<'usr'>, a: Approval): Promise<Decider | undefined>;
};

export function casesOf(db: Reader, tools: Tools, set: PolicySet, now: Date): Cases {
  const groups = once((user: Id<'usr'>) => groupsOfUser(db, user));
  const member = once((user: Id<'usr'>) => findMemberByUser(db, user));
  const manager = once((user: Id<'usr'>) => findManager(db, user));
  const tool = once((key: `${Id<'con'>} ${string}`) => {
    const [connector = '', ...name] = key.split(' ');
    const id = parseId('con', connector);
    return id ? tools.findTool(db, id, name.join(' ')) : Promise.resolve(undefined);
  });
  return {
    async of(approval) {
      const { connector: text, tool: name, pin } = approval.action;
      const connector = parseId('con', text);
      if (!connector) return undefined;
      const requesterGroups = await groups(approval.asker.user);
      const common = { set, approval, requesterGroups, now };
      // Reading a resource or a prompt has no definition that could have changed.
      if (pin === null) return { ...common, tool: { connector, name, class: 'read' }, projection: [] };
      const found = await tool(`${connector} ${name}`);
      if (found?.pin !== pin) return undefined;
      return {
        ...common,
        tool: { connector, name, class: found.class, outward: found.outward, type: found.type },
        projection: found.projection,
      };
    },
    async decider(user, a) {
      const found = await member(user);
      if (!found) return undefined;
      return {
        user,
        groups: await groups(user),
        mayDecide: can(found.role, 'approval.decide'),
        isManager: (await manager(a.asker.user)) === user,
      };
    },
  };
}

function once<K, V>(load: (key: K) => Promise<V>): (key: K) => Promise<V> {
  const kept = new Map<K, Promise<V>>();
  return (key) => {
    const known = kept.get(key);
    if (known) return known;
    const loading = load(key);
    kept.set(key, loading);
    return loading;
  };
}
