// What many people have of many tools. Asking the engine about each pair is right and slow; most pairs are alike. So every policy is judged once
// per tool and once per person, and the two are put together. preview.test.ts holds this against the engine itself (standingOf).
import type { CataloguedTool } from './catalogue.ts';
import { decideByWasm, policyJson, type CedarPolicyJson, type Policies } from './cedar.ts';
import { compile, reachOf, run, scopeTests, type Found, type Reach, type Test } from './compile.ts';
import { uidOf } from './compile-expression.ts';
import type { PolicySet } from './decide.ts';
import type { Person } from './people.sql.ts';
import { factsOfAny, standingFrom, type Held } from './standing.ts';
import { isIn, type Facts, type Uid } from './value.ts';

/** Whether a policy applies to a call of which only the tool is known: `unknown` where that hangs on what is not known. */
type Judged = 'yes' | 'no' | 'unknown';
type Action = 'call' | 'call_unattended';
type Part = {
  id: string;
  forbids: boolean;
  principal: Test;
  resource: Test;
  judge(f: Facts): Judged;
  /** Somebody whom its scope is about: what it says of him it says of all of them, unless it is `personal`. */
  someone: Person;
  /** What its conditions tell people apart by, beside the scope; then it is judged for each sort of them. */
  personal: readonly Uid[] | undefined;
  /** Whether that may be another thing at another tool of the same class. */
  particular: boolean;
  says: string;
};

/** The policies that can have a say about a tool, for both questions, as far as it does not hang on who asks. */
export type View = {
  tool: CataloguedTool;
  parts: { part: Part; call: Judged; alone: Judged }[];
  /** Two tools with the same text are alike. */
  key: string;
};

/** Which policies are about a person, by their place in the set. */
export type Applies = readonly boolean[];

export type Outlook = {
  view(tool: CataloguedTool): View;
  applies(who: Person): Applies;
  /** People with the same text have the same of all tools that are alike. */
  key(view: View, applies: Applies, who: Person): string;
  held(view: View, applies: Applies, who: Person): Held;
};

function partsOf(policies: Policies): Part[] {
  return Object.entries(policies).map(([id, policy]) => {
    const json = policyJson(policy);
    const itself: Policies = { [id]: policy };
    const program = compile(itself);
    const compiled = program.lacks.length === 0;
    const { annotations: _, ...says } = json;
    const conditions = JSON.stringify(json.conditions);
    const personal = conditions.includes('{"Var":"principal"}');
    return {
      id,
      forbids: json.effect === 'forbid',
      principal: scopeTests(json).principal,
      resource: scopeTests(json).resource,
      judge(f) {
        const verdict = compiled ? run(program, f) : decideByWasm(itself, f);
        return verdict.errors.length > 0 ? 'unknown' : verdict.reasons.length > 0 ? 'yes' : 'no';
      },
      someone: someoneOf(json.principal),
      personal: personal ? named(json.conditions) : undefined,
      particular: personal && conditions.includes('{"Var":"resource"}'),
      // Cedar's JSON form rounds large integers, so what only cedar-wasm evaluates is known by its text.
      says: JSON.stringify(compiled ? says : policy),
    };
  });
}

/** A person whom a scope is about, if it is about any. */
function someoneOf(scope: CedarPolicyJson['principal']): Person {
  const inner = 'in' in scope && scope.in ? scope.in : scope;
  const within = 'entity' in inner ? inner.entity : undefined;
  const uid = within === undefined ? undefined : uidOf(within);
  return {
    user: (uid?.type === 'User' ? uid.id : 'usr_') as Person['user'],
    name: '',
    groups: uid?.type === 'Group' ? [uid.id as Person['groups'][number]] : [],
  };
}

/** Every entity that is named somewhere in a policy's conditions. People have no attributes, so nothing else tells them apart. */
function named(json: unknown): Uid[] {
  if (typeof json !== 'object' || json === null) return [];
  if ('__entity' in json) return [uidOf(json)];
  return Object.values(json).flatMap(named);
}

/** Prepares a set for being asked about many people and tools. */
export function outlookOn(set: PolicySet): Outlook {
  const parts = partsOf(set.policies);
  const place = new Map(parts.map((p, i) => [p, i]));
  const factsOfPerson = (who: Person): Facts => factsOfAny(set, who, anyTool, 'call');
  const about = (view: View, applies: Applies): View['parts'] =>
    view.parts.filter((p) => applies[place.get(p.part) ?? -1]);
  const judged = (part: Part, tool: CataloguedTool, who: Person, action: Action): Judged =>
    part.judge(factsOfAny(set, who, tool, action));

  return {
    view(tool) {
      const found = parts.flatMap((part) => {
        const facts = factsOfAny(set, part.someone, tool, 'call');
        // Where not even the made-up person is meant, the policy is about no person at all.
        if (!part.resource(facts) || !part.principal(facts)) return [];
        if (part.personal) return [{ part, call: 'unknown' as const, alone: 'unknown' as const }];
        const [call, alone] = [part.judge(facts), judged(part, tool, part.someone, 'call_unattended')];
        return call === 'no' && alone === 'no' ? [] : [{ part, call, alone }];
      });
      const own = found.some((p) => p.part.particular) ? tool.name : '';
      const key = `${own} ${found.map((p) => `${place.get(p.part)}${p.call}${p.alone}`).join(' ')}`;
      return { tool, parts: found, key };
    },
    applies(who) {
      const facts = factsOfPerson(who);
      return parts.map((p) => p.principal(facts));
    },
    key(view, applies, who) {
      const mine = about(view, applies);
      const sorts = mine.flatMap((p) => p.part.personal ?? []);
      const facts = sorts.length > 0 ? factsOfPerson(who) : undefined;
      const is = facts ? sorts.map((uid) => (isIn(facts.entities, facts.principal, uid) ? '1' : '0')).join('') : '';
      return `${mine.map((p) => place.get(p.part)).join(' ')} ${is}`;
    },
    held(view, applies, who) {
      const mine = about(view, applies);
      const ask = (action: Action): Reach => {
        const found: Omit<Found, 'errors'> = { permits: [], forbids: [], failed: { permits: [], forbids: [] } };
        for (const p of mine) {
          const is = p.part.personal ? judged(p.part, view.tool, who, action) : action === 'call' ? p.call : p.alone;
          const side = p.part.forbids ? 'forbids' : 'permits';
          if (is === 'yes') found[side].push(p.part.id);
          else if (is === 'unknown') found.failed[side].push(p.part.id);
        }
        return reachOf(found);
      };
      return standingFrom(ask('call'), ask('call_unattended'));
    },
  };
}

const anyTool: CataloguedTool = {
  connector: 'con_' as CataloguedTool['connector'],
  connectorName: '',
  name: '',
  class: 'destructive',
};

/** Whether nothing about this tool is different: the same policies, saying the same, judged the same. */
export const sameView = (a: View, b: View): boolean => contents(a) === contents(b);
const contents = (v: View): string =>
  v.parts
    .map((p) => `${p.part.says} ${p.call} ${p.alone}`)
    .sort()
    .join('\n');
