import { Switch, TagsInput } from '@mantine/core';
import {
  changeSamlConnection,
  disableSamlConnection,
  enableSamlConnection,
  readEnforcement,
  readSamlConnection,
  refreshSamlMetadata,
} from '@gatehouse/client/identity.ts';
import { Facts, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { day } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { CopyValue } from '../people/copy-value.tsx';
import { Certificates } from './certificates.tsx';
import { ConnectionPage } from './connection-head.tsx';
import { simulation } from './enforcement-words.ts';
import c from './sso.module.css';
import { SwitchState } from './switch-state.tsx';

export const loader = ({ org, params, search, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(readSamlConnection, { org, connection: params['connection'] ?? '' }),
    ...((search['tab'] ?? 'test') === 'test'
      ? [
          ask(readEnforcement, { org }),
          ...(search['stage'] === undefined
            ? [ask(simulation, { org, query: { state: 'full' as const, percent: 0, limit: 100 } })]
            : []),
        ]
      : []),
  ]);

/** One SAML provider. */
export function Page() {
  const org = useOrg();
  const { connection: id = '' }: { connection?: string } = useParams({ strict: false });
  const k = useAsk(readSamlConnection, { org, connection: id });
  const last = k.certificates
    .map((x) => x.notAfter)
    .toSorted()
    .at(-1);
  return (
    <ConnectionPage
      id={id}
      name={k.name}
      way="SAML"
      state={k.state}
      says={last ? `Certificate until ${day(last)}.` : 'No certificate yet: nothing it says can be believed.'}
      actions={
        <SwitchState
          id={id}
          name={k.name}
          on={k.state === 'active'}
          enable={enableSamlConnection}
          disable={disableSamlConnection}
        />
      }
      tabs={[
        { value: 'settings', label: 'Settings', panel: <Settings id={id} /> },
        { value: 'certificates', label: 'Certificates', panel: <Certificates id={id} /> },
      ]}
    />
  );
}

const switches = [
  ['signRequests', 'Sign our requests', 'The identity provider checks them with our key, which is in our metadata.'],
  ['mustEncrypt', 'Take encrypted assertions only', 'What passes through browsers is then unreadable to them.'],
  [
    'idpInitiated',
    'Take sign-ins that begin at the identity provider',
    'Anybody who gets a response there can start a sign-in in another browser; leave it off unless a launcher needs it.',
  ],
  [
    'matchDirectory',
    'Match people by the externalId of the directory',
    'A first sign-in finds the person whom SCIM sent.',
  ],
] as const;

function Settings({ id }: { id: string }) {
  const org = useOrg();
  const may = useMay('sso.manage').ok;
  const k = useAsk(readSamlConnection, { org, connection: id });
  const changing = useDo(changeSamlConnection);
  const refreshing = useDo(refreshSamlMetadata);
  const [domains, setDomains] = useState(k.emailDomains);
  return (
    <div className={c.cols}>
      <div className={c.stack}>
        <Section title="Strictness" note="takes effect at the next sign-in">
          <Problem of={changing.refusal} />
          <div className={c.form}>
            {switches.map(([key, label, why]) => (
              <Switch
                key={key}
                checked={k[key]}
                disabled={!may || changing.busy}
                label={label}
                description={why}
                onChange={(e) => void changing.run({ org, connection: id, body: { [key]: e.currentTarget.checked } })}
              />
            ))}
          </div>
        </Section>
        <Section title="Whose people come in">
          <div className={c.form}>
            <TagsInput
              label="E-mail domains"
              description="Addresses of other domains are refused. Empty: every address that it sends."
              value={domains}
              readOnly={!may}
              onChange={setDomains}
            />
            <div className="gh-actions">
              <Act
                can="sso.manage"
                disabled={domains.join() === k.emailDomains.join()}
                loading={changing.busy}
                onClick={() => void changing.run({ org, connection: id, body: { emailDomains: domains } })}
              >
                Save
              </Act>
            </div>
          </div>
        </Section>
        {k.metadata && (
          <Section title="Metadata" note="read every hour">
            <Facts
              of={[
                [
                  'Address',
                  <span key="u" className={c.got}>
                    {k.metadata.url}
                  </span>,
                ],
                ['Read', k.metadata.checkedAt ? <When key="c" at={k.metadata.checkedAt} /> : 'not yet'],
                [
                  'State',
                  k.metadata.problem ? (
                    <State key="p" is="caution">
                      {k.metadata.problem}
                    </State>
                  ) : (
                    <State key="p" is="ok" quiet>
                      In order
                    </State>
                  ),
                ],
              ]}
            />
            <Problem of={refreshing.refusal} />
            <div className="gh-actions">
              <Act
                can="sso.manage"
                loading={refreshing.busy}
                onClick={() => void refreshing.run({ org, connection: id })}
              >
                Read it now
              </Act>
            </div>
          </Section>
        )}
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
              'ACS URL',
              <CopyValue key="a" label="ACS URL">
                {k.acsUrl}
              </CopyValue>,
            ],
            [
              'Entity ID',
              <CopyValue key="e" label="entity ID">
                {k.entityId}
              </CopyValue>,
            ],
            [
              'Our metadata',
              <CopyValue key="m" label="address of our metadata">
                {k.metadataUrl}
              </CopyValue>,
            ],
            [
              'Sign-in link',
              <CopyValue key="s" label="sign-in link">
                {k.startUrl}
              </CopyValue>,
            ],
            ['Clock', `${k.clockSkewSeconds} s apart at most`],
            ['Connected', <When key="w" at={k.createdAt} />],
          ]}
        />
      </Section>
    </div>
  );
}
