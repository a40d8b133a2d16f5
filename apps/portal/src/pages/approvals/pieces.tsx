import type { OutputOf } from '@gatehouse/client/call.ts';
import type { readScreen } from '@gatehouse/client/approvals.ts';
import { Esc } from '@gatehouse/ui/parts.tsx';
import { Fragment, type ReactNode } from 'react';

export type Screen = OutputOf<typeof readScreen>;
export type Piece = Screen['title'][number];

/** An address may break after its @ and nowhere else that could be read as another one. */
const breaking = (text: string): ReactNode[] =>
  text.split('@').flatMap((part, i) => (i === 0 ? [part] : ['@', <wbr key={i} />, part]));

const deceits: Record<string, string> = {
  invisible: 'cannot be seen',
  direction: 'turns the direction of what stands around it',
  control: 'is a control character',
  space: 'is a space that is not the usual one',
  other_script: 'is a letter of another script than the rest of its word',
  lookalike: 'stands for a plain character that it is not',
  unknown: 'means something only where a font or a program says so',
};

/** Text of others as it is: what deceives the eye is printed by its name. Plain text, never markup. */
export const Pieces = ({ of }: { of: readonly Piece[] }) => (
  <>
    {of.map((p, i) =>
      typeof p === 'string' ? (
        <Fragment key={i}>{breaking(p)}</Fragment>
      ) : (
        <Esc key={i} title={`${p.code} ${deceits[p.why] ?? ''}`.trim()}>
          {p.char === undefined ? p.code : `${p.char} ${p.code}`}
        </Esc>
      ),
    )}
  </>
);

/** The same as text, for names that are only heard or sorted by. */
export const plainOf = (of: readonly Piece[]): string =>
  of.map((p) => (typeof p === 'string' ? p : (p.char ?? p.code))).join('');
