import { Button, Modal } from '@mantine/core';
import { listOwnGrants, revokeOwnGrant } from '@gatehouse/client/authorization.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import c from './mine.module.css';

type Grant = OutputOf<typeof listOwnGrants>['items'][number];
const nameOf = (g: Grant): string => g.clientName ?? g.client;
const scopesOf = (g: Grant): string => [...new Set(Object.values(g.scopes).flat())].join(' ');

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  ask(listOwnGrants, { org, query: { limit: 1 } });

/** Which applications may act in my name, and the end of each. */
export function Page() {
  const { org, orgName } = useHere();
  const [ending, setEnding] = useState<Grant>();
  const input = useMemo(() => ({ org }), [org]);
  return (
    <div className="gh-page">
      <Head room="Mine" roomHref={`/portal/${org}/mine`} title="Agents">
        Applications that you gave access to {orgName}. They act in your name, within what you may do yourself.
      </Head>
      <DataTable
        op={listOwnGrants}
        input={input}
        name="agents"
        searchable="Search name or client id"
        row={(g) => g.id}
        height={48}
        columns={[
          {
            head: 'Application',
            cell: (g) => (
              <span>
                <b>{nameOf(g)}</b>
                {g.clientName !== null && <span className="gh-xs gh-3"> calls itself so</span>}
              </span>
            ),
            value: nameOf,
          },
          { head: 'May', cell: (g) => <span className="gh-id">{scopesOf(g)}</span>, value: scopesOf },
          { head: 'Given, UTC', cell: (g) => <At at={g.givenAt} />, value: (g) => g.givenAt, width: '150px' },
          {
            head: 'Last used, UTC',
            cell: (g) => (g.lastUsedAt ? <At at={g.lastUsedAt} /> : 'not yet'),
            value: (g) => g.lastUsedAt ?? '',
            width: '150px',
          },
          { head: 'Ends, UTC', cell: (g) => <At at={g.expiresAt} />, value: (g) => g.expiresAt, width: '150px' },
          {
            head: 'Access',
            cell: (g) => (
              <Button size="sm" onClick={() => setEnding(g)}>
                End<span className="gh-vh"> the access of {nameOf(g)}</span>…
              </Button>
            ),
            width: '90px',
          },
        ]}
        empty={
          <p>
            No application may act in your name. Add one of {orgName}’s addresses to an agent; it asks you here, and
            then it is in this list.
          </p>
        }
      />
      {ending && <End of={ending} onClose={() => setEnding(undefined)} />}
    </div>
  );
}

function End({ of, onClose }: { of: Grant; onClose: () => void }) {
  const { org } = useHere();
  const end = useDo(revokeOwnGrant, { also: ['mine'], done: onClose });
  return (
    <Modal opened onClose={onClose} title={`End the access of ${nameOf(of)}?`} size={480}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">
          Within a second it is refused everything, also what is under way. It may ask you again; what it did stays in
          the log.
        </p>
        <Problem of={end.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            color="negative"
            loading={end.busy}
            onClick={() => void end.run({ org, grant: of.id })}
          >
            End its access
          </Button>
        </div>
      </div>
    </Modal>
  );
}
