import { PasswordInput, TagsInput } from '@mantine/core';
import {
  changeConnection,
  disableConnection,
  enableConnection,
  readConnection,
  readEnforcement,
  replaceClientSecret,
  useClientKey as clientKeyOp,
} from '@gatehouse/client/identity.ts';
import { Facts, Section } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { ConnectionPage } from './connection-head.tsx';
import { simulation } from './enforcement-words.ts';
import c from './sso.module.css';
import { SwitchState } from './switch-state.tsx';

export const loader = ({ org, params, search, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(readConnection, { org, connection: params['connection'] ?? '' }),
    ...((search['tab'] ?? 'test') === 'test'
      ? [
          ask(readEnforcement, { org }),
          ...(search['stage'] === undefined
            ? [ask(simulation, { org, query: { state: 'full' as const, percent: 0, limit: 100 } })]
            : []),
        ]
      : []),
  ]);

const authWord = {
  client_secret_basic: 'a client secret, in the header',
  client_secret_post: 'a client secret, in the body',
  private_key_jwt: 'a key of ours',
  none: 'nothing but the client id',
} as const;

/** One OpenID Connect provider. */
export function Page() {
  const org = useOrg();
  const { connection: id = '' }: { connection?: string } = useParams({ strict: false });
  const k = useAsk(readConnection, { org, connection: id });
  return (
    <ConnectionPage
      id={id}
      name={k.name}
      way="OpenID Connect"
      state={k.state}
      says={
        <>
          Its document was read <When at={k.discoveredAt} />.
        </>
      }
      actions={
        <SwitchState
          id={id}
          name={k.name}
          on={k.state === 'active'}
          enable={enableConnection}
          disable={disableConnection}
        />
      }
      tabs={[{ value: 'settings', label: 'Settings', panel: <Settings id={id} /> }]}
    />
  );
}

function Settings({ id }: { id: string }) {
  const org = useOrg();
  const may = useMay('sso.manage').ok;
  const k = useAsk(readConnection, { org, connection: id });
  const changing = useDo(changeConnection);
  const keying = useDo(clientKeyOp);
  const [hosted, setHosted] = useState(k.hostedDomains);
  const [tenants, setTenants] = useState(k.tenants);
  const [asking, setAsking] = useState<'secret' | 'key'>();
  const same = hosted.join() === k.hostedDomains.join() && tenants.join() === k.tenants.join();
  return (
    <div className={c.cols}>
      <div className={c.stack}>
        <Section title="Whose people come in">
          <div className={c.form}>
            <TagsInput
              label="Hosted domains (hd)"
              description="Google: only accounts of these Workspace domains. Empty: every account that the issuer lets through."
              value={hosted}
              readOnly={!may}
              onChange={setHosted}
            />
            <TagsInput
              label="Tenants (tid)"
              description="Entra ID: only accounts of these tenants."
              value={tenants}
              readOnly={!may}
              onChange={setTenants}
            />
            <Problem of={changing.refusal} />
            <div className="gh-actions">
              <Act
                can="sso.manage"
                disabled={same}
                loading={changing.busy}
                onClick={() => void changing.run({ org, connection: id, body: { hostedDomains: hosted, tenants } })}
              >
                Save
              </Act>
            </div>
          </div>
        </Section>
        <Section title="How we prove that we are this client" note={authWord[k.authMethod]}>
          <Problem of={keying.refusal} />
          <div className="gh-actions">
            <Act can="sso.manage" onClick={() => setAsking('secret')}>
              Replace the secret…
            </Act>
            <Act can="sso.manage" onClick={() => setAsking('key')}>
              {k.authMethod === 'private_key_jwt' ? 'Use the next key…' : 'Use a key of ours instead…'}
            </Act>
          </div>
        </Section>
      </div>
      <Section title="Facts">
        <Facts
          of={[
            [
              'Issuer',
              <span key="i" className={c.got}>
                {k.issuer}
              </span>,
            ],
            [
              'Client id',
              <CopyValue key="c" label="client id">
                {k.clientId}
              </CopyValue>,
            ],
            [
              'Redirect URI',
              <CopyValue key="r" label="redirect URI">
                {k.redirectUri}
              </CopyValue>,
            ],
            [
              'Sign-in link',
              <CopyValue key="s" label="sign-in link">
                {k.signInUrl}
              </CopyValue>,
            ],
            [
              'Logout URI',
              <CopyValue key="b" label="back-channel logout URI">
                {k.backChannelLogoutUri}
              </CopyValue>,
            ],
            ...(k.jwksUri
              ? [
                  [
                    'Our keys',
                    <CopyValue key="j" label="address of our keys">
                      {k.jwksUri}
                    </CopyValue>,
                  ] as const,
                ]
              : []),
            ['Matches people', k.matchDirectory ? 'by the externalId of the directory' : 'by what was linked only'],
            ['Connected', <When key="w" at={k.createdAt} />],
          ]}
        />
      </Section>
      {asking === 'secret' && <NewSecret id={id} onClose={() => setAsking(undefined)} />}
      <Confirm
        open={asking === 'key'}
        title="Prove with a key of ours?"
        act="Use the key"
        busy={keying.busy}
        refusal={keying.refusal}
        onClose={() => setAsking(undefined)}
        onAct={() => void keying.run({ org, connection: id }, () => setAsking(undefined))}
      >
        <p className="gh-s gh-2">
          The identity provider must read our keys at the address under Facts and expect private_key_jwt. Until it does,
          nobody signs in through this connection; the secret is forgotten.
        </p>
      </Confirm>
    </div>
  );
}

function NewSecret({ id, onClose }: { id: string; onClose: () => void }) {
  const org = useOrg();
  const replacing = useDo(replaceClientSecret);
  const [secret, setSecret] = useState('');
  return (
    <Confirm
      open
      title="Replace the client secret"
      act="Replace it"
      busy={replacing.busy}
      refusal={replacing.refusal}
      wait={secret.trim() === '' ? 'Enter the new secret.' : undefined}
      onClose={onClose}
      onAct={() => void replacing.run({ org, connection: id, body: { clientSecret: secret.trim() } }, onClose)}
    >
      <p className="gh-s gh-2">It is used from the next sign-in on. Test the connection afterwards.</p>
      <PasswordInput
        label="New secret"
        autoComplete="off"
        visibilityToggleButtonProps={{ 'aria-label': 'Show or hide the secret' }}
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
        data-autofocus
      />
    </Confirm>
  );
}
