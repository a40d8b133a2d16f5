import type { OutputOf } from '@gatehouse/client/call.ts';
import type { listQuarantine } from '@gatehouse/client/dlp.ts';
import { State } from '@gatehouse/ui/parts.tsx';

export type Kept = OutputOf<typeof listQuarantine>['items'][number];

/** What became of kept content; how many of those it needs have released it. */
export const KeptState = ({ of: k }: { of: Kept }) => {
  const agreed = k.decisions.filter((d) => d.decision === 'release').length;
  if (k.state === 'waiting') return <State is="held">{agreed > 0 ? `Waits for a second reviewer` : 'Waits'}</State>;
  if (k.state === 'discarded') return <State is="no">Discarded</State>;
  if (k.state === 'expired') return <State is="expired">Expired</State>;
  return (
    <State is="answered" quiet>
      {k.state === 'released' ? 'Released' : 'Delivered'}
    </State>
  );
};
