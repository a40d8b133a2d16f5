import type { OutputOf } from '@gatehouse/client/call.ts';
import type { list as listCatalogue } from '@gatehouse/client/catalogue.ts';
import type { get, list, listTools, listWaiting } from '@gatehouse/client/connectors.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { moment } from '../../kit/words.ts';

export type Connector = OutputOf<typeof get>;
export type ConnectorRow = OutputOf<typeof list>['items'][number];
export type Tool = OutputOf<typeof listTools>['items'][number];
export type Waiting = OutputOf<typeof listWaiting>['items'][number];
export type Kind = OutputOf<typeof listCatalogue>['items'][number];
export type ToolClass = NonNullable<Tool['class']>;

/** What connectors tell their clients has no name; this stands for it in an address. */
export const INSTRUCTIONS = '@instructions';
/** The type of a server of one's own, which is not in the catalogue. */
export const OWN_SERVER = 'mcp';

export const sheetAddress = (con: string, tool: string | null): string =>
  `connectors/tools/${con}/${encodeURIComponent(tool ?? INSTRUCTIONS)}`;

export const actsAsWords: Record<Connector['actAs'], string> = {
  none: 'nobody’s: it needs no account',
  person: 'each person’s own, which they connect themselves',
  organization: 'the organization’s account, for everybody',
  organization_as_person: 'the organization’s account, in the name of whoever calls',
};
export const accessWords: Record<Connector['access'], string> = {
  read_only: 'reading only',
  read_write: 'reading and writing',
};

export const classSays: readonly [ToolClass, string][] = [
  ['read', 'Looks things up. Runs unattended where a rule allows reading.'],
  ['write', 'Changes things inside the organization’s own records.'],
  ['destructive', 'Deletes, pays or reaches outside. Unknown counts as this.'],
];

/** How a tool stands: only `reviewed` can be used. */
export function toolState(t: Pick<Tool, 'state' | 'closed'>): { is: GlyphName; word: string } {
  if (t.closed) return { is: 'no', word: 'Kept closed' };
  switch (t.state) {
    case 'reviewed':
      return { is: 'ok', word: 'In use' };
    case 'quarantined':
      return { is: 'held', word: 'Waits for review' };
    case 'changed':
      return { is: 'held', word: 'Changed, waits' };
    case 'removed':
      return { is: 'none', word: 'No longer offered' };
  }
}

export const severityWords: Record<Waiting['severity'], string> = {
  first: 'never reviewed',
  none: 'as it was reviewed',
  cosmetic: 'only title or icons differ',
  meaning: 'differs from its review',
};

export const until = (at: string | null): string => (at === null ? 'it does not say' : moment(at));
