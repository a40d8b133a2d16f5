import { Checkbox, Select, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import {
  createIdpSetupLink,
  listIdpGuides,
  listIdpSetupLinks,
  revokeIdpSetupLink,
} from '@gatehouse/client/identity.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { PageHead } from '../people/page-head.tsx';

type Link = OutputOf<typeof listIdpSetupLinks>['items'][number];
const tasks = [
  { value: 'domain', label: 'Prove domains' },
  { value: 'sign_in', label: 'Connect sign-in' },
  { value: 'directory', label: 'Connect the directory' },
] as const;
type Task = Link['tasks'][number];
const taskWord = (t: string): string => tasks.find((x) => x.value === t)?.label ?? t;

export const loader = ({ org, ask, askRows }: LoaderContext): Promise<unknown> =>
  Promise.all([askRows(listIdpSetupLinks, { org }), ask(listIdpGuides, { org })]);

const made = (l: Link): string => {
  const parts = [
    ...(l.domains.length > 0 ? [`${l.domains.length} domains`] : []),
    ...(l.connection ? ['a connection'] : []),
    ...(l.directory ? ['a directory'] : []),
  ];
  return parts.length === 0 ? 'nothing yet' : parts.join(', ');
};

/** Links for whoever runs the identity provider and has no account here. */
export function Page() {
  const org = useOrg();
  const input = useMemo(() => ({ org }), [org]);
  const [asking, setAsking] = useState<'new' | Link>();
  const revoking = useDo(revokeIdpSetupLink);
  const columns: Column<Link>[] = [
    { head: 'For whom', cell: (l) => <b>{l.name}</b>, value: (l) => l.name },
    {
      head: 'State',
      cell: (l) =>
        l.state === 'live' ? (
          <State is="open">
            works <When at={l.expiresAt} />
          </State>
        ) : (
          <State is={l.state === 'revoked' ? 'no' : 'expired'}>
            {l.state === 'revoked' ? 'Taken back' : 'Expired'}
          </State>
        ),
      value: (l) => l.state,
      width: '180px',
    },
    {
      head: 'For what',
      cell: (l) => l.tasks.map(taskWord).join(', '),
      value: (l) => l.tasks.join(' '),
      width: 'minmax(200px, 2fr)',
    },
    { head: 'Made through it', cell: made, value: made, width: 'minmax(150px, 1fr)' },
    {
      head: 'Opened',
      cell: (l) => (l.openedAt ? <When at={l.openedAt} /> : 'not yet'),
      value: (l) => l.openedAt ?? '',
      width: '130px',
    },
    {
      head: 'Act',
      cell: (l) =>
        l.state === 'live' && (
          <Act can="sso.manage" size="sm" onClick={() => setAsking(l)}>
            Take back…
          </Act>
        ),
      width: '120px',
    },
  ];
  const add = (
    <Act can="sso.manage" onClick={() => setAsking('new')}>
      Make a set-up link…
    </Act>
  );
  const link = typeof asking === 'object' ? asking : undefined;
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="Set-up links" actions={add}>
        For whoever runs the identity provider and has no account here. Everything done through a link is recorded under
        its name.
      </PageHead>
      <DataTable
        op={listIdpSetupLinks}
        input={input}
        name="set-up links"
        columns={columns}
        row={(l) => l.id}
        height={48}
        searchable="Search for whom"
        empty={
          <>
            <h3>No set-up link yet</h3>
            <p>
              A link opens the set-up of domains, sign-in and directory for one person, for some days. What is connected
              through it is off until an owner switches it on.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
      {asking === 'new' && <Make onClose={() => setAsking(undefined)} />}
      <Confirm
        open={link !== undefined}
        danger
        title={`Take the link of ${link?.name ?? ''} back?`}
        act="Take it back"
        busy={revoking.busy}
        refusal={revoking.refusal}
        onClose={() => setAsking(undefined)}
        onAct={() => link && void revoking.run({ org, link: link.id }, () => setAsking(undefined))}
      >
        <p className="gh-s gh-2">It opens nothing from the next request on. What was connected through it stays.</p>
      </Confirm>
    </div>
  );
}

function Make({ onClose }: { onClose: () => void }) {
  const { org, orgName } = useHere();
  const { items } = useAsk(listIdpGuides, { org });
  const [name, setName] = useState('');
  const [what, setWhat] = useState<readonly Task[]>(tasks.map((t) => t.value));
  const [days, setDays] = useState('7');
  const [provider, setProvider] = useState<string | null>(null);
  const [activates, setActivates] = useState(false);
  const [url, setUrl] = useState<string>();
  const making = useDo(createIdpSetupLink);
  if (url !== undefined)
    return (
      <Confirm open title="The link, shown this once" act="I have it" size={560} onAct={onClose} onClose={onClose}>
        <p className="gh-s gh-2">Send it to {name}. Whoever has it can use it, so send it where only they read.</p>
        <div>
          <CopyValue label="set-up link">{url}</CopyValue>
        </div>
      </Confirm>
    );
  return (
    <Confirm
      open
      title="A set-up link for whoever runs the identity provider"
      act="Make the link"
      size={520}
      busy={making.busy}
      refusal={making.refusal}
      wait={name.trim() === '' ? 'Say for whom it is.' : what.length === 0 ? 'Tick what it is for.' : undefined}
      onClose={onClose}
      onAct={() =>
        void making
          .run({
            org,
            body: {
              name: name.trim(),
              tasks: [...what],
              days: Number(days),
              activates,
              ...(provider === null ? {} : { provider }),
            },
          })
          .then((l) => l && setUrl(l.url))
      }
    >
      <p className="gh-s gh-2">
        It opens the set-up for {orgName}, without an account, until it expires or you take it back.
      </p>
      <TextInput
        label="For whom"
        placeholder="Okta admins, IT"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
      <Checkbox.Group
        label="For what"
        value={[...what]}
        onChange={(v) => setWhat(tasks.map((t) => t.value).filter((t) => v.includes(t)))}
      >
        <div style={{ display: 'grid', gap: 8, marginTop: 4 }}>
          {tasks.map((t) => (
            <Checkbox key={t.value} value={t.value} label={t.label} />
          ))}
        </div>
      </Checkbox.Group>
      <Select
        label="Identity provider"
        placeholder="They choose"
        clearable
        data={items.map((g) => ({ value: g.id, label: g.name }))}
        value={provider}
        onChange={setProvider}
      />
      <Select
        label="Works for"
        allowDeselect={false}
        data={['1', '3', '7', '14', '30'].map((d) => ({ value: d, label: d === '1' ? '1 day' : `${d} days` }))}
        value={days}
        onChange={(d) => setDays(d ?? '7')}
      />
      <Checkbox
        checked={activates}
        onChange={(e) => setActivates(e.currentTarget.checked)}
        label="What is connected works at once, without an owner switching it on"
      />
    </Confirm>
  );
}
