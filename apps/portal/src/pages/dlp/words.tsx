import type { OutputOf } from '@gatehouse/client/call.ts';
import { listBaseline, type listFindings } from '@gatehouse/client/dlp.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { State } from '@gatehouse/ui/parts.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';

export type FoundIn = OutputOf<typeof listFindings>['items'][number];
export type Action = FoundIn['action'];
export type DataClass = OutputOf<typeof listBaseline>['items'][number];
export type Phase = keyof DataClass['phases'];

/** What is done with content, mild to severe. */
export const actionNames: Record<Action, string> = {
  allow: 'lets it pass',
  alert: 'lets it pass and tells',
  redact: 'takes it out',
  require_approval: 'asks first',
  quarantine: 'keeps it for review',
  block: 'stops it',
};
export const actionDone: Record<Action, string> = {
  allow: 'Passed',
  alert: 'Passed, told',
  redact: 'Taken out',
  require_approval: 'Asked',
  quarantine: 'Kept',
  block: 'Stopped',
};
const glyphs: Record<Action, GlyphName> = {
  allow: 'none',
  alert: 'info',
  redact: 'swap',
  require_approval: 'held',
  quarantine: 'held',
  block: 'blocked',
};
export const actions = Object.keys(actionNames) as readonly Action[];

/** What was or is to be done, with its glyph; what passed is quiet. */
export const ActionState = ({ of: a, done = false }: { of: Action; done?: boolean }) => (
  <State is={glyphs[a]} quiet={a === 'allow' || a === 'alert' || a === 'redact'}>
    {done ? actionDone[a] : actionNames[a]}
  </State>
);

/** Where content is on its way. */
export const phaseNames: Record<Phase, string> = {
  arguments: 'to a tool',
  result: 'back from a tool',
  prompt: 'into a run',
  output: 'out of a run',
  file_in: 'file coming in',
  file_out: 'file going out',
};
export const phases = Object.keys(phaseNames) as readonly Phase[];
export const isPhase = (text: string | null): text is Phase => text !== null && Object.hasOwn(phaseNames, text);

export const severityNames = { low: 'low', medium: 'medium', high: 'high', critical: 'critical' } as const;

const MOST = 200;
/** What a loader asks beforehand for `useClasses`. */
export const classesOf = (org: string) => ({ org, query: { limit: MOST } });
/** The classes of data that can be found, and what each is called. */
export function useClasses(): { items: readonly DataClass[]; nameOf(data: string): string } {
  const org = useOrg();
  const { items } = useAsk(listBaseline, classesOf(org));
  const own = new Map(items.filter((c) => c.data.startsWith('ddt_')).map((c) => [c.data, c.finds]));
  return { items, nameOf: (data) => own.get(data) ?? wordsOf(data) };
}
const wordsOf = (data: string): string =>
  data === 'any'
    ? 'anything'
    : data.startsWith('severity:')
      ? `everything ${data.slice(9)}`
      : data.replaceAll('_', ' ');
