import type { OutputOf } from '@gatehouse/client/call.ts';
import type { list } from '@gatehouse/client/approvals.ts';
import { State } from '@gatehouse/ui/parts.tsx';

export type Request = OutputOf<typeof list>['items'][number];

/** What became of a request, in a glyph and a word; what runs as asked is quiet. */
export const RequestState = ({ of: r }: { of: Request }) => {
  switch (r.state) {
    case 'pending':
      return <State is="held">Waits</State>;
    case 'approved':
      return (
        <State is="answered" quiet>
          {r.grant?.state === 'used' ? 'Approved, ran' : r.grant?.state === 'unused' ? 'Approved' : 'Approved, not run'}
        </State>
      );
    case 'denied':
      return <State is="denied">Denied</State>;
    case 'expired':
      return <State is="expired">Expired</State>;
    case 'cancelled':
      return <State is="no">Taken back</State>;
    case 'superseded':
      return <State is="swap">Replaced</State>;
  }
};

/** Whose agent wants what, in one line. */
export const wants = (r: Pick<Request, 'asker' | 'tool' | 'connector' | 'connectorName'>): string =>
  `${r.asker.name ?? r.asker.user}’s agent wants to use ${r.tool} of ${r.connectorName ?? r.connector}`;
