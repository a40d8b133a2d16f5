import { visible } from '#kernel/visible.ts';
import { step } from '../diff-definition.ts';
import { isRecord } from '../tool.ts';
import * as characters from './characters.ts';
import * as links from './links.ts';
import { plainText } from './plain-text.ts';
import { nowhere, referencesIn, type Elsewhere } from './references.ts';
import { schemaFaults } from './schemas.ts';
import { severities, type Finding, type Piece, type Role, type Severity, type TextScanner } from './scanner.ts';
import * as words from './words.ts';

/** Every scanner of texts there is. A new one is an export of one of these files. */
export const textScanners: readonly TextScanner[] = [
  ...Object.values(characters),
  ...Object.values(words),
  ...Object.values(links),
];

/** More than a person reads; the gravest stay. */
export const MAX_FINDINGS = 100;
const MAX_EXCERPT = 160;
const AROUND = 40;
/** Definitions come from strict parsing and are never this deep (kernel/json.ts); what does is told and not followed. */
const MAX_DEPTH = 100;
const MAX_TEXTS = 50_000;

type Steps = readonly (string | number)[];

/**
 * What in a definition a reviewer should look at: every text in it, names of properties as well as values, and its schemas. Findings are
 * advice, never a decision. In time linear in the definition, whatever it is; never throws.
 */
export const scanDefinition = (definition: unknown, elsewhere: Elsewhere = nowhere): Finding[] =>
  gravest([...findingsOf(definition), ...referencesOf(definition, elsewhere)]);

const known = new Map<string, readonly Finding[]>();
const MAX_KNOWN = 5000;

/** The same for a pinned definition, whose own texts need be looked at once; what stands elsewhere can change at any time. */
export function scanPinned(t: { pin: string; definition: string }, elsewhere: Elsewhere): Finding[] {
  const definition: unknown = JSON.parse(t.definition);
  const own = known.get(t.pin) ?? findingsOf(definition);
  if (!known.has(t.pin)) {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(t.pin, own);
  }
  return gravest([...own, ...referencesOf(definition, elsewhere)]);
}

const gravest = (of: readonly Finding[]): Finding[] =>
  of.toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity)).slice(0, MAX_FINDINGS);

function findingsOf(definition: unknown): Finding[] {
  const out: Finding[] = [];
  const put = (f: Finding): void => {
    const same = out.find((o) => o.id === f.id && o.at === f.at && o.excerpt === f.excerpt);
    if (same) same.count += f.count;
    else if (out.length < MAX_FINDINGS * 5) out.push(f);
  };
  for (const { text, steps, role } of textsOf(definition, put)) lookAt(text, steps, role, put);
  if (isRecord(definition))
    for (const k of ['inputSchema', 'outputSchema'])
      if (isRecord(definition[k]))
        for (const { steps, excerpt, ...f } of schemaFaults(definition[k]))
          put({ ...f, at: pointer([k, ...steps]), excerpt: short(visible(excerpt)), count: 1 });
  return out;
}

function referencesOf(definition: unknown, elsewhere: Elsewhere): Finding[] {
  const out: Finding[] = [];
  for (const { text, steps, role } of textsOf(definition, () => undefined))
    for (const { from, to, ...f } of referencesIn({ raw: text, role }, elsewhere)) {
      if (out.length >= MAX_FINDINGS) return out;
      out.push({ ...f, at: pointer(steps), excerpt: excerptOf(text, from, to), count: 1 });
    }
  return out;
}

/** How many of each severity. */
export function countFindings(findings: readonly Finding[]): Record<Severity, number> {
  const n: Record<Severity, number> = { high: 0, medium: 0, low: 0 };
  for (const f of findings) n[f.severity]++;
  return n;
}

const pointer = (steps: Steps): string => steps.map(step).join('').slice(0, 1000) || '/';
const short = (t: string): string => (t.length > MAX_EXCERPT ? `${t.slice(0, MAX_EXCERPT)}…` : t);

function lookAt(raw: string, steps: Steps, role: Role, put: (f: Finding) => void): void {
  if (raw === '') return;
  const piece: Piece = { raw, role, plain: plainText(raw) };
  for (const s of textScanners) {
    let first: Finding | undefined;
    for (const h of s.find(piece)) {
      first ??= {
        id: s.id,
        severity: s.severity,
        at: pointer(steps),
        excerpt: excerptOf(h.text, h.from, h.to),
        says: h.what === undefined ? s.says : `${s.says}, ${h.what}`,
        why: s.why,
        count: 0,
      };
      first.count++;
    }
    if (first) put(first);
  }
}

function excerptOf(text: string, from: number, to: number): string {
  const end = Math.min(to, from + MAX_EXCERPT);
  const start = Math.max(0, from - AROUND);
  // A surrogate pair is not cut in two.
  const cut = text.slice(start, Math.min(text.length, end + AROUND)).toWellFormed();
  return short(visible(`${start > 0 ? '…' : ''}${cut}${end + AROUND < text.length ? '…' : ''}`));
}

/** Names under these are the upstream's own; other keys are words of JSON Schema and MCP, or unknown and looked at all the same. */
function* textsOf(
  definition: unknown,
  put: (f: Finding) => void,
): Generator<{ text: string; steps: Steps; role: Role }> {
  const stack: { value: unknown; steps: Steps }[] = [{ value: definition, steps: [] }];
  let texts = 0;
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { value, steps } = top;
    if (typeof value === 'string') {
      if (++texts > MAX_TEXTS) return;
      yield { text: value, steps, role: roleOf(steps) };
    } else if (typeof value === 'object' && value !== null) {
      if (steps.length >= MAX_DEPTH) {
        put({ id: 'schema_deep', severity: 'medium', at: pointer(steps), excerpt: `${MAX_DEPTH} levels`, says: 'Nested too deep to look at', why: 'What is below was not looked at.', count: 1 }); // prettier-ignore
        continue;
      }
      // From the end, because the stack gives back the last first: findings come in the order of the text.
      if (Array.isArray(value))
        for (let i = value.length - 1; i >= 0; i--) stack.push({ value: value[i], steps: [...steps, i] });
      else
        for (const [k, v] of Object.entries(value).toReversed()) {
          if (++texts > MAX_TEXTS) return;
          yield { text: k, steps: [...steps, k], role: steps.at(-1) === 'patternProperties' ? 'pattern' : 'name' };
          stack.push({ value: v, steps: [...steps, k] });
        }
    }
  }
}

function roleOf(steps: Steps): Role {
  const last = steps.at(-1);
  if (last === 'pattern' && steps.at(-2) !== 'properties') return 'pattern';
  if (last === 'src' && steps[0] === 'icons') return 'address';
  if (last === 'name' && steps.length === 1) return 'name';
  return 'prose';
}
