import { Button, Checkbox, Modal, PasswordInput, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { getApp, removeApp, setApp } from '@gatehouse/client/connectors.ts';
import { Facts, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { moment } from '../../kit/words.ts';
import c from './connectors.module.css';
import { Ending } from './ending.tsx';
import { useMaybe } from './use-maybe.ts';
import { until, type Connector } from './words.ts';

type App = OutputOf<typeof getApp>;

/** The app through which people connect their own accounts. `needed`: without one nobody connects. */
export function AppSection({ of, needed = true }: { of: Connector; needed?: boolean }) {
  const org = useOrg();
  const at = { org, con: of.id };
  const { data: app, waiting, refusal } = useMaybe(getApp, at);
  const [asking, setAsking] = useState<'set' | 'remove'>();
  if (waiting) return <Bones rows={3} />;
  return (
    <Section
      title="App at the vendor"
      note="through which people connect their own accounts"
      aside={
        app && (
          <span className="gh-actions">
            <Act can="connector.manage" size="sm" onClick={() => setAsking('set')}>
              Change…
            </Act>
            <Act can="connector.manage" size="sm" onClick={() => setAsking('remove')}>
              Forget…
            </Act>
          </span>
        )
      }
    >
      <Problem of={refusal} />
      {app ? (
        <Facts
          of={[
            [
              'Client id',
              <Hash key="id" label="client id" head={60}>
                {app.clientId}
              </Hash>,
            ],
            [
              'Proves itself by',
              { secret: 'a secret of the vendor’s', key: 'a key of ours', none: 'nothing' }[app.kind],
            ],
            [
              'Redirect address',
              <Hash key="to" label="redirect address" head={90}>
                {app.redirectUri}
              </Hash>,
            ],
            [
              'Accounts',
              app.requireSameAddress ? 'only with the address of the person here' : 'with any address of the tenant',
            ],
            ['Ends', until(app.endsAt)],
            [
              'State',
              app.failingSince ? (
                <State is="broken" key="bad">
                  The vendor has refused it since {moment(app.failingSince)}
                </State>
              ) : (
                'in order, as far as the vendor says'
              ),
            ],
            ...(app.certificate === null
              ? []
              : ([
                  [
                    'Certificate',
                    <pre key="pem" className="gh-well gh-id gh-scroll">
                      {app.certificate}
                    </pre>,
                  ],
                ] as const)),
          ]}
        />
      ) : (
        <div className="gh-empty">
          <p>
            {needed
              ? `Nobody can connect yet. Register an app at ${of.name} with this redirect address, then enter its client id and secret here.`
              : 'Nobody has connected yet. Where the authorization server lets Gatehouse make itself known, nothing is needed; else register an app there with this redirect address and enter it here.'}
          </p>
          {of.redirectUri && (
            <Hash label="redirect address" head={90}>
              {of.redirectUri}
            </Hash>
          )}
          <div className="gh-actions">
            <Act can="connector.manage" onClick={() => setAsking('set')}>
              Enter the app…
            </Act>
          </div>
        </div>
      )}
      {asking === 'set' && <SetApp of={of} was={app} onClose={() => setAsking(undefined)} />}
      {asking === 'remove' && <RemoveApp of={of} onClose={() => setAsking(undefined)} />}
    </Section>
  );
}

function SetApp({ of, was, onClose }: { of: Connector; was: App | undefined; onClose: () => void }) {
  const org = useOrg();
  const [clientId, setClientId] = useState(was?.clientId ?? '');
  const [secret, setSecret] = useState('');
  const [key, setKey] = useState(was?.kind === 'key');
  const [same, setSame] = useState(was?.requireSameAddress ?? true);
  const save = useDo(setApp, { also: ['connections', 'mine'], done: onClose });
  const body = {
    clientId: clientId.trim(),
    requireSameAddress: same,
    ...(key && was?.kind !== 'key' ? { key: true as const } : !key && secret !== '' ? { clientSecret: secret } : {}),
  };
  return (
    <Modal opened onClose={onClose} title={`The app for ${of.name}`} size={520}>
      <div className={c.stack}>
        <TextInput label="Client id" value={clientId} onChange={(e) => setClientId(e.currentTarget.value)} />
        <Checkbox
          label="It proves itself with a key of ours"
          description="Where the vendor takes a certificate or public keys. Nothing secret leaves this server then."
          checked={key}
          onChange={(e) => setKey(e.currentTarget.checked)}
        />
        {!key && (
          <PasswordInput
            label="Client secret"
            description={was?.kind === 'secret' ? 'Left empty, the one that is there stays.' : undefined}
            autoComplete="off"
            value={secret}
            onChange={(e) => setSecret(e.currentTarget.value)}
          />
        )}
        <Checkbox
          label="People connect accounts with their own address only"
          checked={same}
          onChange={(e) => setSame(e.currentTarget.checked)}
        />
        <Problem of={save.refusal} />
        <Ending onClose={onClose}>
          <Button
            variant="filled"
            disabled={body.clientId === ''}
            loading={save.busy}
            onClick={() => void save.run({ org, con: of.id, body })}
          >
            Keep the app
          </Button>
        </Ending>
      </div>
    </Modal>
  );
}

function RemoveApp({ of, onClose }: { of: Connector; onClose: () => void }) {
  const org = useOrg();
  const remove = useDo(removeApp, { also: ['connections', 'mine'], done: onClose });
  return (
    <Modal opened onClose={onClose} title={`Forget the app for ${of.name}?`} size={480}>
      <div className={c.stack}>
        <p className="gh-s gh-2">
          Nobody can connect, and connections that there are cannot be renewed, until there is an app again.
        </p>
        <Problem of={remove.refusal} />
        <Ending onClose={onClose}>
          <Button
            variant="filled"
            color="negative"
            loading={remove.busy}
            onClick={() => void remove.run({ org, con: of.id })}
          >
            Forget the app
          </Button>
        </Ending>
      </div>
    </Modal>
  );
}
