import { Select, Tabs } from '@mantine/core';
import { changeDirectory, getDirectory, listScimClients, listScimTokens } from '@gatehouse/client/directory.ts';
import { listIdpGuides } from '@gatehouse/client/identity.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { There } from '../identity/there.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { Adoption } from './adoption.tsx';
import c from './directory.module.css';
import { ScimSettings } from './scim-settings.tsx';
import { ScimSecrets } from './scim-secrets.tsx';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> => {
  const directory = params['directory'] ?? '';
  return Promise.all([
    ask(getDirectory, { org, directory }),
    ask(listScimTokens, { org, directory }),
    ask(listScimClients, { org, directory }),
  ]);
};

const inPage = { tab: 'secrets', idp: '' };

/** One directory: what to enter at the identity provider, its tokens, how it is treated. */
export function Page() {
  const org = useOrg();
  const { directory: id = '' }: { directory?: string } = useParams({ strict: false });
  const d = useAsk(getDirectory, { org, directory: id });
  const [at, set] = useAddress(inPage);
  const changing = useDo(changeDirectory);
  const [asking, setAsking] = useState(false);
  const paused = d.state === 'paused';
  return (
    <div className="gh-page">
      <PageHead
        room="SCIM"
        roomAt="directory/scim"
        title={d.name}
        actions={
          <>
            <GoButton to={`directory/scim/${id}/journal`}>Journal</GoButton>
            <Act can="directory.manage" onClick={() => setAsking(true)}>
              {paused ? 'Resume…' : 'Pause…'}
            </Act>
          </>
        }
      >
        <span className={c.said}>
          {paused ? (
            <State is="held">Paused: what it sends is refused</State>
          ) : (
            <State is="ok" quiet>
              Active
            </State>
          )}
          <span>
            Connected <When at={d.created} />.
          </span>
        </span>
      </PageHead>
      <Section title="Base URL" note="entered at the identity provider">
        <div>
          <CopyValue label="base URL">{d.url}</CopyValue>
        </div>
      </Section>
      <Tabs value={at.tab} onChange={(tab) => set({ tab: tab ?? 'secrets' })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="secrets">Tokens</Tabs.Tab>
          <Tabs.Tab value="guide">At the identity provider</Tabs.Tab>
          <Tabs.Tab value="people">People who are here already</Tabs.Tab>
          <Tabs.Tab value="settings">Settings</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="secrets" pt={20}>
          <ScimSecrets directory={id} />
        </Tabs.Panel>
        <Tabs.Panel value="guide" pt={20}>
          <Guide directory={id} idp={at.idp} onIdp={(idp) => set({ idp })} />
        </Tabs.Panel>
        <Tabs.Panel value="people" pt={20}>
          <Adoption directory={id} name={d.name} />
        </Tabs.Panel>
        <Tabs.Panel value="settings" pt={20}>
          <ScimSettings directory={id} />
        </Tabs.Panel>
      </Tabs>
      <Confirm
        open={asking}
        title={paused ? `Resume ${d.name}?` : `Pause ${d.name}?`}
        act={paused ? 'Resume' : 'Pause'}
        busy={changing.busy}
        refusal={changing.refusal}
        onClose={() => setAsking(false)}
        onAct={() =>
          void changing.run({ org, directory: id, body: { state: paused ? 'active' : 'paused' } }, () =>
            setAsking(false),
          )
        }
      >
        <p className="gh-s gh-2">
          {paused
            ? 'What it sends is taken again. Identity providers send once more what was refused meanwhile, in their next cycle.'
            : 'Everything that it sends is refused until you resume: nobody comes, nobody leaves, no group changes. Members stay as they are.'}
        </p>
      </Confirm>
    </div>
  );
}

function Guide({ directory, idp, onIdp }: { directory: string; idp: string; onIdp: (idp: string) => void }) {
  const org = useOrg();
  const may = useMay('sso.manage');
  if (!may.ok)
    return (
      <p className="gh-s gh-2">
        {sentence(may.says)} {sentence(may.fix)}
      </p>
    );
  return <GuideOf org={org} directory={directory} idp={idp} onIdp={onIdp} />;
}

function GuideOf({
  org,
  directory,
  idp,
  onIdp,
}: {
  org: string;
  directory: string;
  idp: string;
  onIdp: (idp: string) => void;
}) {
  const { items } = useAsk(listIdpGuides, { org, query: { directory } });
  const guide = items.find((g) => g.id === idp) ?? items[0];
  if (!guide) return null;
  return (
    <div className={c.stack}>
      <Select
        label="Identity provider"
        w={260}
        allowDeselect={false}
        data={items.map((g) => ({ value: g.id, label: g.name }))}
        value={guide.id}
        onChange={(v) => v !== null && onIdp(v)}
      />
      {guide.scim ? (
        <There way={guide.scim} missing="a token from the tab Tokens" />
      ) : (
        guide.withoutScim && (
          <div className="gh-empty">
            <h3>It cannot push people</h3>
            <p>{guide.withoutScim.none}</p>
            <p>{guide.withoutScim.instead}</p>
          </div>
        )
      )}
    </div>
  );
}
