import { linearPattern, MAX_PATTERN_LENGTH } from '#kernel/linear-pattern.ts';
import { allSubschemas, costOf, pointedAt } from '../json-schema.ts';
import { isRecord } from '../tool.ts';
import type { Severity } from './scanner.ts';

/** What is wrong with a schema, apart from its texts. */
export type SchemaFault = {
  id: string;
  severity: Severity;
  steps: readonly (string | number)[];
  excerpt: string;
  says: string;
  why: string;
};

const MAX_DEPTH = 24;
const MAX_NODES = 2000;
const MAX_EXPANDED = 50_000;
const MAX_LISTED = 500;
/** Longer than any value that a tool asks for in earnest. */
const HUGE = 1_000_000;
const MAX_FAULTS = 30;
const MAX_PATTERNS = 200;
const MAX_WALKED = 20_000;

const dialects = /^https?:\/\/json-schema\.org\/(?:draft-0[4-7]\/schema|draft\/20(?:19-09|20-12)\/schema)#?$/;

/** Schemas that cost whoever checks by them, that reach elsewhere, or that do not end. Nothing is fetched, and nothing here runs by them. */
export function schemaFaults(root: unknown): SchemaFault[] {
  const out: SchemaFault[] = [];
  const add = (f: SchemaFault): void => {
    if (out.length < MAX_FAULTS) out.push(f);
  };
  const cost = costOf(root);
  if (cost.endless)
    add({ id: 'schema_without_end', severity: 'high', steps: [], excerpt: '$ref', says: 'A $ref that leads back to itself', why: 'Whoever checks a value by it never ends.' }); // prettier-ignore
  else if (cost.expanded > MAX_EXPANDED)
    add({ id: 'schema_bomb', severity: 'high', steps: [], excerpt: `${cost.nodes} schemas that come to ${Number.isFinite(cost.expanded) ? cost.expanded : 'endlessly many'}`, says: 'References that multiply', why: 'Each leads to several others, so that checking one value takes as long as somebody likes.' }); // prettier-ignore
  if (cost.recursive && !cost.endless)
    add({ id: 'schema_recursive', severity: 'low', steps: [], excerpt: '$ref', says: 'A schema inside itself', why: 'Fine for trees; some clients do not take it.' }); // prettier-ignore
  if (cost.nodes > MAX_NODES)
    add({ id: 'schema_large', severity: 'medium', steps: [], excerpt: `${cost.nodes} schemas`, says: 'More schemas than a person can review', why: 'What is not read is not reviewed.' }); // prettier-ignore
  if (cost.depth > MAX_DEPTH)
    add({ id: 'schema_deep', severity: 'medium', steps: [], excerpt: `${cost.depth} levels`, says: 'A schema nested very deep', why: 'It exhausts whoever reads it, people and programs alike.' }); // prettier-ignore

  let patterns = 0;
  const queue: { schema: unknown; steps: readonly (string | number)[] }[] = [{ schema: root, steps: [] }];
  for (let i = 0; i < queue.length && i < MAX_WALKED && out.length < MAX_FAULTS; i++) {
    const here = queue[i];
    if (!here || !isRecord(here.schema) || here.steps.length > 200) continue;
    const { schema, steps } = here;
    for (const f of wrongRefs(root, schema, steps)) add(f);
    const sources = [
      ...(typeof schema['pattern'] === 'string' ? [{ source: schema['pattern'], at: [...steps, 'pattern'] }] : []),
      ...(isRecord(schema['patternProperties'])
        ? Object.keys(schema['patternProperties']).map((source) => ({
            source,
            at: [...steps, 'patternProperties', source],
          }))
        : []),
    ];
    for (const s of sources) {
      if (++patterns > MAX_PATTERNS) break;
      const fault = patternFault(s.source);
      if (fault) add({ ...fault, steps: s.at, excerpt: s.source });
    }
    for (const k of ['minLength', 'minItems', 'minProperties']) {
      const n = schema[k];
      if (typeof n === 'number' && n > HUGE)
        add({ id: 'schema_wants_much', severity: 'medium', steps: [...steps, k], excerpt: String(n), says: 'Asks for an enormous value', why: 'A model that obeys writes until something breaks.' }); // prettier-ignore
    }
    for (const k of ['enum', 'required', 'anyOf', 'oneOf', 'allOf']) {
      const list = schema[k];
      if (Array.isArray(list) && list.length > MAX_LISTED)
        add({ id: 'schema_large', severity: 'medium', steps: [...steps, k], excerpt: `${list.length} entries`, says: 'A list longer than a person reads', why: 'What is not read is not reviewed.' }); // prettier-ignore
    }
    for (const s of allSubschemas(schema)) queue.push({ schema: s.schema, steps: [...steps, ...s.steps] });
  }
  return out;
}

function* wrongRefs(
  root: unknown,
  schema: Record<string, unknown>,
  steps: readonly (string | number)[],
): Generator<SchemaFault> {
  for (const k of ['$ref', '$dynamicRef', '$recursiveRef'] as const) {
    const ref = schema[k];
    if (typeof ref !== 'string') continue;
    if (!ref.startsWith('#'))
      yield { id: 'schema_elsewhere', severity: 'high', steps: [...steps, k], excerpt: ref, says: 'A schema that lies elsewhere', why: 'It is not part of what is reviewed and can change at any time. We never fetch it; a client might.' }; // prettier-ignore
    else if (k === '$ref' && (ref === '#' || ref.startsWith('#/')) && pointedAt(root, ref) === undefined)
      yield { id: 'schema_dangling', severity: 'low', steps: [...steps, k], excerpt: ref, says: 'A reference that leads nowhere', why: 'Clients will refuse the tool or take any value.' }; // prettier-ignore
  }
  const id = schema['$id'];
  if (typeof id === 'string' && steps.length > 0 && /^[a-z][a-z0-9+.-]*:/i.test(id))
    yield { id: 'schema_elsewhere', severity: 'low', steps: [...steps, '$id'], excerpt: id, says: 'A schema that takes an address', why: 'References below it are read from that address.' }; // prettier-ignore
  const dialect = schema['$schema'];
  if (typeof dialect === 'string' && !dialects.test(dialect))
    yield { id: 'schema_dialect', severity: 'low', steps: [...steps, '$schema'], excerpt: dialect, says: 'An unknown dialect of JSON Schema', why: 'What its words mean is told elsewhere.' }; // prettier-ignore
}

const known = new Map<string, Pick<SchemaFault, 'id' | 'severity' | 'says' | 'why'> | undefined>();
const MAX_KNOWN = 2000;

/** A pattern by which a text can be found that takes a backtracking engine years; clients and validators run such engines. */
function patternFault(source: string): Pick<SchemaFault, 'id' | 'severity' | 'says' | 'why'> | undefined {
  if (source.length > MAX_PATTERN_LENGTH)
    return { id: 'pattern_long', severity: 'medium', says: 'A pattern longer than a person reads', why: 'What is not read is not reviewed.' }; // prettier-ignore
  if (known.has(source)) return known.get(source);
  const fault = nested(source)
    ? { id: 'pattern_explodes', severity: 'high' as const, says: 'A pattern with repetition inside repetition', why: 'A short text can take a client that checks by it years.' } // prettier-ignore
    : 'refused' in linearPattern(source)
      ? { id: 'pattern_backtracks', severity: 'low' as const, says: 'A pattern that only a backtracking engine runs', why: 'It looks around or back, is too large, or is no pattern; the linear engine refuses it.' } // prettier-ignore
      : undefined;
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(source, fault);
  return fault;
}

/**
 * Whether something that repeats without limit stands in something that does, with nothing between that would tell the rounds apart; or
 * alternatives that begin alike are repeated. One pass over the pattern.
 */
export function nested(source: string): boolean {
  // One entry per open group. Of the alternative that is being read: whether it repeats something without limit, and whether something in it
  // must stand in each round; `bad`: one before it had the first and not the second. `firsts`: how the alternatives begin.
  type Group = { loops: boolean; fixed: boolean; bad: boolean; firsts: string[]; first: boolean };
  const fresh = (): Group => ({ loops: false, fixed: false, bad: false, firsts: [], first: true });
  const stack: Group[] = [fresh()];
  let last: { loops: boolean; clash: boolean } | undefined;
  for (let i = 0; i < source.length; i++) {
    const g = stack.at(-1);
    if (!g) return false;
    const c = source.charAt(i);
    const atom = (text: string): void => {
      if (g.first) g.firsts.push(text);
      g.first = false;
      last = { loops: false, clash: false };
      // A plain character that must stand in each round tells them apart, unless it repeats itself.
      if (!/^(?:\.|\\[dDwWsSpP]|\[)/.test(text) && !/^[*+{?]/.test(source.slice(i + 1))) g.fixed = true;
    };
    if (c === '\\') {
      const text = source.slice(i, i + 2);
      i++;
      atom(text);
    } else if (c === '[') {
      const from = i;
      for (i++; i < source.length && (source[i] !== ']' || i === from + 1); i++) if (source[i] === '\\') i++;
      atom(source.slice(from, i + 1));
    } else if (c === '(') {
      if (g.first) g.firsts.push(`(${stack.length}:${i}`);
      g.first = false;
      stack.push(fresh());
      const head = /^\(\?(?:[:=!]|<[=!]|<[^>]{1,50}>)/.exec(source.slice(i, i + 60));
      if (head) i += head[0].length - 1;
    } else if (c === ')') {
      const done = stack.length > 1 ? stack.pop() : undefined;
      const outer = stack.at(-1);
      if (!done || !outer) continue;
      const clash =
        new Set(done.firsts).size < done.firsts.length || (done.firsts.length > 1 && done.firsts.includes('.'));
      const bad = done.bad || (done.loops && !done.fixed);
      last = { loops: bad, clash };
      if (bad) outer.loops = true;
      if (done.fixed && done.firsts.length < 2 && !/^[*+{?]/.test(source.slice(i + 1))) outer.fixed = true;
    } else if (c === '|') {
      g.bad ||= g.loops && !g.fixed;
      g.loops = false;
      g.fixed = false;
      g.first = true;
      last = undefined;
    } else if (c === '*' || c === '+' || /^\{\d*,\}/.test(source.slice(i, i + 12))) {
      if (last?.loops || last?.clash) return true;
      g.loops = true;
      if (c === '{') i = source.indexOf('}', i);
      last = undefined;
    } else if (c === '?') last = undefined;
    else if (c === '^' || c === '$') last = undefined;
    else if (c === '{') i = Math.max(i, source.indexOf('}', i));
    else atom(c);
  }
  return false;
}
