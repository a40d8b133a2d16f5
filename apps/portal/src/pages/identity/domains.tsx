import { Checkbox, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { addDomain, listDomains } from '@gatehouse/client/domains.ts';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { State } from '@gatehouse/ui/parts.tsx';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { DataTable, type Column } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';

export type Domain = OutputOf<typeof listDomains>['items'][number];

export const loader = ({ org, askRows }: LoaderContext): Promise<unknown> => askRows(listDomains, { org });

const stateOf: Record<Domain['state'], { is: GlyphName; word: string; quiet: boolean }> = {
  pending: { is: 'open', word: 'Not proved yet', quiet: false },
  verified: { is: 'ok', word: 'Verified', quiet: true },
  failing: { is: 'caution', word: 'Record is missing', quiet: false },
  lapsed: { is: 'broken', word: 'Lapsed', quiet: false },
  conflict: { is: 'broken', word: 'Belongs to another', quiet: false },
};

export const DomainState = ({ of: d }: { of: Domain }) => {
  const { is, word, quiet } = stateOf[d.state];
  return (
    <State is={is} quiet={quiet}>
      {word}
    </State>
  );
};

const columns: readonly Column<Domain>[] = [
  { head: 'Domain', cell: (d) => <b title={d.name}>{d.shown}</b>, value: (d) => d.name },
  { head: 'State', cell: (d) => <DomainState of={d} />, value: (d) => stateOf[d.state].word, width: '180px' },
  {
    head: 'Found',
    cell: (d) => (
      <span title={d.says}>{d.fault ? d.fault.found : d.state === 'pending' ? 'not looked at yet' : 'the record'}</span>
    ),
    value: (d) => d.says,
    width: 'minmax(200px, 3fr)',
  },
  {
    head: 'Subdomains',
    cell: (d) => (d.includeSubdomains ? 'with subdomains' : 'itself only'),
    value: (d) => String(d.includeSubdomains),
    width: '140px',
  },
  {
    head: 'Looked at',
    cell: (d) => (d.checkedAt ? <When at={d.checkedAt} /> : 'not yet'),
    value: (d) => d.checkedAt ?? '',
    width: '130px',
  },
];

/** The domains of the parent and how each is proved. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const input = useMemo(() => ({ org }), [org]);
  const [adding, setAdding] = useState(false);
  const add = (
    <Act can="sso.manage" onClick={() => setAdding(true)}>
      Add a domain…
    </Act>
  );
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="Domains" actions={add}>
        A verified domain leads its people to your identity provider, and lets first sign-ins make accounts for its
        addresses.
      </PageHead>
      <DataTable
        op={listDomains}
        input={input}
        name="domains"
        columns={columns}
        row={(d) => d.id}
        onRow={(d) => go(`identity/domains/${d.id}`)}
        searchable="Search a domain"
        empty={
          <>
            <h3>No domain yet</h3>
            <p>
              A DNS record proves that a domain is yours. Until then nobody is led to your identity provider by their
              address, and no first sign-in makes an account.
            </p>
            <div className="gh-actions">{add}</div>
          </>
        }
      />
      {adding && <Add onClose={() => setAdding(false)} />}
    </div>
  );
}

function Add({ onClose }: { onClose: () => void }) {
  const org = useOrg();
  const go = useGo();
  const [name, setName] = useState('');
  const [sub, setSub] = useState(false);
  const adding = useDo(addDomain);
  return (
    <Confirm
      open
      title="Add a domain"
      act="Add the domain"
      busy={adding.busy}
      refusal={adding.refusal}
      wait={name.trim() === '' ? 'Enter the domain.' : undefined}
      onClose={onClose}
      onAct={() =>
        void adding
          .run({ org, body: { domain: name.trim(), includeSubdomains: sub } })
          .then((made) => made && go(`identity/domains/${made.id}`))
      }
    >
      <p className="gh-s gh-2">
        You get a TXT record to set. It is looked up by itself from then on; nothing depends on it before.
      </p>
      <TextInput
        label="Domain"
        placeholder="acme.example"
        autoComplete="off"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
      <Checkbox checked={sub} onChange={(e) => setSub(e.currentTarget.checked)} label="With all its subdomains" />
    </Confirm>
  );
}
