import { Checkbox, Select, TextInput } from '@mantine/core';
import type { InputOf, OutputOf } from '@gatehouse/client/call.ts';
import { createApiKey, listApiKeys, revokeApiKey } from '@gatehouse/client/org.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { At, When } from '../../kit/time.tsx';
import { count, day } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { PageHead } from '../people/page-head.tsx';
import c from './identity.module.css';

type Key = OutputOf<typeof listApiKeys>['items'][number];
type KeyPermission = InputOf<typeof createApiKey>['body']['permissions'][number];
const permissions: readonly KeyPermission[] = [
  'org.read',
  'org.manage',
  'member.read',
  'member.manage',
  'owner.manage',
  'api_key.manage',
  'directory.manage',
  'sso.manage',
  'trace.read',
  'connector.read',
  'connector.manage',
  'tool.review',
  'policy.read',
  'policy.manage',
  'approval.read',
  'approval.decide',
  'dlp.inspect',
  'dlp.review',
  'audit.read',
  'audit.export',
];

export const loader = ({ org, askRows }: LoaderContext): Promise<unknown> => askRows(listApiKeys, { org });

const stateOf = (k: Key, now: number) => {
  if (k.revokedAt) return <State is="no">Ended</State>;
  const left = new Date(k.expiresAt).getTime() - now;
  if (left <= 0) return <State is="expired">Expired</State>;
  return left < 30 * 86_400_000 ? (
    <State is="caution">until {day(k.expiresAt)}</State>
  ) : (
    <State is="ok" quiet>
      until {day(k.expiresAt)}
    </State>
  );
};

/** Keys for scripts. A key is never more than its creator. */
export function Page() {
  const org = useOrg();
  const input = useMemo(() => ({ org }), [org]);
  const [asking, setAsking] = useState<'new' | Key>();
  const revoking = useDo(revokeApiKey);
  const columns: Column<Key>[] = [
    { head: 'Name', cell: (k) => <b>{k.name}</b>, value: (k) => k.name },
    { head: 'State', cell: (k) => stateOf(k, Date.now()), value: (k) => k.expiresAt, width: '170px' },
    {
      head: 'May',
      cell: (k) => (
        <span title={k.permissions.join(', ')}>
          {k.permissions.length > 3 ? `${count(k.permissions.length)} permissions` : k.permissions.join(', ')}
        </span>
      ),
      value: (k) => k.permissions.join(' '),
      width: 'minmax(200px, 2fr)',
    },
    {
      head: 'Last used',
      cell: (k) => (k.lastUsedAt ? <When at={k.lastUsedAt} /> : 'never'),
      value: (k) => k.lastUsedAt ?? '',
      width: '130px',
    },
    { head: 'Made, UTC', cell: (k) => <At at={k.createdAt} />, value: (k) => k.createdAt, width: '150px' },
    {
      head: 'Act',
      cell: (k) =>
        !k.revokedAt && (
          <Act can="api_key.manage" size="sm" onClick={() => setAsking(k)}>
            End…
          </Act>
        ),
      width: '90px',
    },
  ];
  const add = (
    <Act can="api_key.manage" onClick={() => setAsking('new')}>
      Make a key…
    </Act>
  );
  const key = typeof asking === 'object' ? asking : undefined;
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="API keys" actions={add}>
        For scripts. A key may do what was chosen for it, and of that only what its creator may do at that moment.
      </PageHead>
      <DataTable
        op={listApiKeys}
        input={input}
        name="API keys"
        columns={columns}
        row={(k) => k.id}
        height={48}
        searchable="Search name, id or permission"
        empty={
          <>
            <h3>No key yet</h3>
            <p>
              A script proves itself with a key. It is shown once, ends by itself within a year, and with whoever made
              it.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
      {asking === 'new' && <Make onClose={() => setAsking(undefined)} />}
      <Confirm
        open={key !== undefined}
        danger
        title={`End the key ${key?.name ?? ''}?`}
        act="End the key"
        busy={revoking.busy}
        refusal={revoking.refusal}
        onClose={() => setAsking(undefined)}
        onAct={() => key && void revoking.run({ org, key: key.id }, () => setAsking(undefined))}
      >
        <p className="gh-s gh-2">
          Requests with it are refused at once.{' '}
          {key?.lastUsedAt ? (
            <>
              It was last used <When at={key.lastUsedAt} />.
            </>
          ) : (
            'It was never used.'
          )}
        </p>
      </Confirm>
    </div>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const { org, may } = useHere();
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState<readonly KeyPermission[]>([]);
  const [days, setDays] = useState('90');
  const [value, setValue] = useState<string>();
  const making = useDo(createApiKey);
  if (value !== undefined)
    return (
      <Confirm open title="The key, shown this once" act="I have it" size={560} onAct={onClose} onClose={onClose}>
        <p className="gh-s gh-2">
          Put it where the script reads it. Nobody can show it again; make another if it is lost.
        </p>
        <div>
          <CopyValue label="API key">{value}</CopyValue>
        </div>
      </Confirm>
    );
  return (
    <Confirm
      open
      title="Make an API key"
      act="Make the key"
      size={560}
      busy={making.busy}
      refusal={making.refusal}
      wait={name.trim() === '' ? 'Enter a name.' : chosen.length === 0 ? 'Tick what it may do.' : undefined}
      onClose={onClose}
      onAct={() =>
        void making
          .run({
            org,
            body: {
              name: name.trim(),
              permissions: [...chosen],
              expiresAt: new Date(Date.now() + Number(days) * 86_400_000 - 60_000).toISOString(),
            },
          })
          .then((k) => k && setValue(k.value))
      }
    >
      <TextInput
        label="Name"
        placeholder="Nightly export"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
      <Checkbox.Group
        label="May"
        description="What you may not do yourself cannot be given."
        value={[...chosen]}
        onChange={(v) => setChosen(permissions.filter((p) => v.includes(p)))}
      >
        <div className={c.permissions}>
          {permissions.map((p) => (
            <Checkbox key={p} value={p} label={<span className="gh-mono">{p}</span>} disabled={!may(p).ok} />
          ))}
        </div>
      </Checkbox.Group>
      <Select
        label="Works for"
        allowDeselect={false}
        data={['1', '7', '30', '90', '365'].map((d) => ({ value: d, label: d === '1' ? '1 day' : `${d} days` }))}
        value={days}
        onChange={(d) => setDays(d ?? '90')}
      />
    </Confirm>
  );
}
