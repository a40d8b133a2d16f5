import { TextInput } from '@mantine/core';
import { createDirectory, listDirectories } from '@gatehouse/client/directory.ts';
import { findSettings } from '@gatehouse/client/provisioning.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { Go, useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { modeWord } from './mode-words.ts';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listDirectories, { org }), ask(findSettings, { org })]);

/** The directories that push people and groups over SCIM. */
export function Page() {
  const org = useOrg();
  const { items } = useAsk(listDirectories, { org });
  const settings = useAsk(findSettings, { org });
  const [adding, setAdding] = useState(false);
  const add = (
    <Act can="directory.manage" variant={items.length === 0 ? 'filled' : 'default'} onClick={() => setAdding(true)}>
      Connect a directory…
    </Act>
  );
  return (
    <div className="gh-page">
      <PageHead room="Directory" roomAt="directory/members" title="SCIM" actions={items.length > 0 && add}>
        Identity providers push people and groups here. {modeWord[settings.mode].says}{' '}
        <Go to="directory/mode">See the mode</Go>.
      </PageHead>
      <Section title="Directories" note={count(items.length)}>
        {items.length === 0 ? (
          <div className="gh-empty">
            <h3>No directory yet</h3>
            <p>
              A directory is one connection of your identity provider. It sends who works here and in which groups, and
              takes leavers away within seconds. Until there is one, people come in by hand or at sign-in.
            </p>
            <div className="gh-actions">{add}</div>
          </div>
        ) : (
          <div className="gh-scroll" tabIndex={0} role="group" aria-label="Directories">
            <table className="gh-table">
              <thead>
                <tr>
                  <th>Name</th>
                  <th>State</th>
                  <th>Base URL</th>
                  <th>Connected</th>
                </tr>
              </thead>
              <tbody>
                {items.map((d) => (
                  <tr key={d.id}>
                    <td>
                      <Go to={`directory/scim/${d.id}`}>
                        <b>{d.name}</b>
                      </Go>
                    </td>
                    <td>
                      {d.state === 'active' ? (
                        <State is="ok" quiet>
                          Active
                        </State>
                      ) : (
                        <State is="held">Paused</State>
                      )}
                    </td>
                    <td>
                      <CopyValue label={`base URL of ${d.name}`}>{d.url}</CopyValue>
                    </td>
                    <td>
                      <When at={d.created} />
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Section>
      {adding && <Connect comes={modeWord[settings.mode].comes} onClose={() => setAdding(false)} />}
    </div>
  );
}

function Connect({ comes, onClose }: { comes: string; onClose: () => void }) {
  const org = useOrg();
  const go = useGo();
  const [name, setName] = useState('');
  const making = useDo(createDirectory, { also: ['provisioning'] });
  return (
    <Confirm
      open
      title="Connect a directory"
      act="Connect it"
      busy={making.busy}
      refusal={making.refusal}
      wait={name.trim() === '' ? 'Enter a name.' : undefined}
      onClose={onClose}
      onAct={() => void making.run({ org, body: { name: name.trim() } }).then((d) => d && go(`directory/scim/${d.id}`))}
    >
      <p className="gh-s gh-2">
        You get an address, and a token that is shown once. Who comes in, by the mode that is set now: {comes} Accounts
        that are here already are not touched.
      </p>
      <TextInput
        label="Name"
        placeholder="Okta"
        autoComplete="off"
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
        data-autofocus
      />
    </Confirm>
  );
}
