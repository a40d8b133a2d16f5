import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { Head, State } from '@gatehouse/ui/parts.tsx';
import { useMemo } from 'react';
import { Act } from '../../kit/act.tsx';
import { DataTable } from '../../kit/data-table.tsx';
import { useGo } from '../../kit/use-go.ts';
import { useOrg } from '../../kit/org.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';
import type { ConnectorRow } from './words.ts';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  ask(listConnectors, { org, query: { limit: 1 } });

const accounts: Record<ConnectorRow['actAs'], string> = {
  none: 'none needed',
  person: 'each person’s own',
  organization: 'the organization’s',
  organization_as_person: 'the organization’s, as each person',
};

/** Every connector of the organization. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const input = useMemo(() => ({ org }), [org]);
  const add = (
    <Act can="connector.manage" variant="filled" onClick={() => go('connectors/add')}>
      Add a connector
    </Act>
  );
  return (
    <div className="gh-page">
      <Head title="Connectors" actions={add}>
        Systems that agents can reach through Gatehouse. A connector is used by whoever a rule or a control allows, and
        by nobody else.
      </Head>
      <DataTable
        op={listConnectors}
        input={input}
        name="connectors"
        searchable="Search name, slug or type"
        row={(x) => x.id}
        onRow={(x) => go(`connectors/${x.id}`)}
        height={56}
        columns={[
          {
            head: 'Connector',
            cell: (x) => (
              <span className={c.two}>
                <b>{x.name}</b>
                <small className="gh-id">{x.slug}</small>
              </span>
            ),
            value: (x) => x.name,
          },
          { head: 'Type', cell: (x) => x.type, value: (x) => x.type, width: '130px' },
          {
            head: 'State',
            cell: (x) => (
              <State is={x.state === 'on' ? 'ok' : 'no'} quiet>
                {x.state === 'on' ? 'On' : 'Off for everyone'}
              </State>
            ),
            value: (x) => x.state,
            width: '140px',
          },
          { head: 'Account', cell: (x) => accounts[x.actAs], value: (x) => x.actAs, width: '190px' },
          {
            head: 'Tools in use',
            cell: (x) => count(x.counts.usable),
            value: (x) => x.counts.usable,
            right: true,
            width: '100px',
          },
          {
            head: 'Wait for review',
            cell: (x) =>
              x.counts.waiting > 0 ? (
                <State is="held">{count(x.counts.waiting)}</State>
              ) : (
                <span className="gh-3">0</span>
              ),
            value: (x) => x.counts.waiting,
            right: true,
            width: '120px',
          },
          {
            head: 'Connections',
            cell: (x) => count(x.counts.connections),
            value: (x) => x.counts.connections,
            right: true,
            width: '110px',
          },
        ]}
        empty={
          <>
            <p>
              No connector yet. A connector is a system that agents may reach: Drive, Slack, or an MCP server of your
              own. Until there is one, agents that sign in here find nothing to call.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
    </div>
  );
}
