import { Select } from '@mantine/core';
import {
  createScimClient,
  createScimToken,
  listScimClients,
  listScimTokens,
  revokeScimClient,
  revokeScimToken,
} from '@gatehouse/client/directory.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { day } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import c from './directory.module.css';

type Secret = { id: string; created: string; expires: string; revoked: string | null; lastUsed: string | null };
const lives = [30, 90, 180, 365];

const stateOf = (s: Secret, now: number) => {
  if (s.revoked) return <State is="no">Ended</State>;
  const left = new Date(s.expires).getTime() - now;
  if (left <= 0) return <State is="expired">Expired</State>;
  return left < 30 * 86_400_000 ? (
    <State is="caution">until {day(s.expires)}</State>
  ) : (
    <State is="ok" quiet>
      until {day(s.expires)}
    </State>
  );
};

const Rows = ({ of, what, onEnd }: { of: readonly Secret[]; what: string; onEnd: (id: string) => void }) => (
  <div className="gh-scroll" tabIndex={0} role="group" aria-label={what}>
    <table className="gh-table">
      <thead>
        <tr>
          <th>Id</th>
          <th>State</th>
          <th>Last used</th>
          <th>Made</th>
          <th>
            <span className="gh-vh">Act</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {of.map((s) => (
          <tr key={s.id}>
            <td className="gh-id">{s.id}</td>
            <td>{stateOf(s, Date.now())}</td>
            <td>{s.lastUsed ? <When at={s.lastUsed} /> : 'never'}</td>
            <td>
              <When at={s.created} />
            </td>
            <td className="r">
              {!s.revoked && (
                <Act can="directory.manage" size="sm" onClick={() => onEnd(s.id)}>
                  End…
                </Act>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** Tokens and OAuth clients of a directory. A value is shown once, when it is made. */
export function ScimSecrets({ directory }: { directory: string }) {
  const org = useOrg();
  const tokens = useAsk(listScimTokens, { org, directory }).items;
  const clients = useAsk(listScimClients, { org, directory }).items;
  const [asking, setAsking] = useState<'token' | 'client' | { end: 'token' | 'client'; id: string }>();
  const close = (): void => setAsking(undefined);
  return (
    <div className={c.stack}>
      <Section
        title="Tokens"
        note="a bearer token, which most identity providers want"
        aside={
          <Act can="directory.manage" size="sm" onClick={() => setAsking('token')}>
            Make a token…
          </Act>
        }
      >
        {tokens.length === 0 ? (
          <p className="gh-s gh-2">None yet. The identity provider needs one, together with the base URL.</p>
        ) : (
          <Rows of={tokens} what="Tokens" onEnd={(id) => setAsking({ end: 'token', id })} />
        )}
      </Section>
      <Section
        title="OAuth clients"
        note="for providers that fetch a token of an hour themselves"
        aside={
          <Act can="directory.manage" size="sm" onClick={() => setAsking('client')}>
            Make a client…
          </Act>
        }
      >
        {clients.length === 0 ? (
          <p className="gh-s gh-3">None.</p>
        ) : (
          <Rows of={clients} what="OAuth clients" onEnd={(id) => setAsking({ end: 'client', id })} />
        )}
      </Section>
      {asking === 'token' && <NewToken directory={directory} onClose={close} />}
      {asking === 'client' && <NewClient directory={directory} onClose={close} />}
      {typeof asking === 'object' && <End directory={directory} what={asking.end} id={asking.id} onClose={close} />}
    </div>
  );
}

const Life = ({ days, onDays }: { days: number; onDays: (days: number) => void }) => (
  <Select
    label="Works for"
    allowDeselect={false}
    data={lives.map((d) => ({ value: String(d), label: `${d} days` }))}
    value={String(days)}
    onChange={(d) => onDays(Number(d))}
  />
);

function NewToken({ directory, onClose }: { directory: string; onClose: () => void }) {
  const org = useOrg();
  const [days, setDays] = useState(365);
  const [made, setMade] = useState<string>();
  const making = useDo(createScimToken);
  return made === undefined ? (
    <Confirm
      open
      title="Make a token"
      act="Make it"
      busy={making.busy}
      refusal={making.refusal}
      onClose={onClose}
      onAct={() => void making.run({ org, directory, body: { days } }).then((t) => t && setMade(t.token))}
    >
      <p className="gh-s gh-2">
        It is shown this one time. Two can work side by side, so that the next one takes over without a gap.
      </p>
      <Life days={days} onDays={setDays} />
    </Confirm>
  ) : (
    <Confirm open title="The token, shown this once" act="I have it" onAct={onClose} onClose={onClose} size={560}>
      <p className="gh-s gh-2">
        Paste it at the identity provider now. Nobody can show it again; make another if it is lost.
      </p>
      <div>
        <CopyValue label="token">{made}</CopyValue>
      </div>
    </Confirm>
  );
}

function NewClient({ directory, onClose }: { directory: string; onClose: () => void }) {
  const org = useOrg();
  const [days, setDays] = useState(365);
  const [made, setMade] = useState<{ id: string; secret: string; tokenUrl: string }>();
  const making = useDo(createScimClient);
  return made === undefined ? (
    <Confirm
      open
      title="Make an OAuth client"
      act="Make it"
      busy={making.busy}
      refusal={making.refusal}
      onClose={onClose}
      onAct={() => void making.run({ org, directory, body: { days } }).then((m) => m && setMade(m))}
    >
      <p className="gh-s gh-2">Its secret is shown this one time.</p>
      <Life days={days} onDays={setDays} />
    </Confirm>
  ) : (
    <Confirm
      open
      title="The client, its secret shown this once"
      act="I have it"
      onAct={onClose}
      onClose={onClose}
      size={560}
    >
      <table className="gh-table">
        <tbody>
          {[
            ['Token URL', made.tokenUrl],
            ['Client id', made.id],
            ['Client secret', made.secret],
          ].map(([label = '', value = '']) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td>
                <CopyValue label={label}>{value}</CopyValue>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Confirm>
  );
}

function End({
  directory,
  what,
  id,
  onClose,
}: {
  directory: string;
  what: 'token' | 'client';
  id: string;
  onClose: () => void;
}) {
  const org = useOrg();
  const token = useDo(revokeScimToken);
  const client = useDo(revokeScimClient);
  const doing = what === 'token' ? token : client;
  return (
    <Confirm
      open
      danger
      title={what === 'token' ? 'End this token?' : 'End this client?'}
      act="End it"
      busy={doing.busy}
      refusal={doing.refusal}
      onClose={onClose}
      onAct={() =>
        void (what === 'token'
          ? token.run({ org, directory, token: id }, onClose)
          : client.run({ org, directory, client: id }, onClose))
      }
    >
      <p className="gh-s gh-2">
        What comes with it is refused from the next request on. Nobody is removed by that: the directory only falls
        silent, and leavers stay until it speaks again.
      </p>
    </Confirm>
  );
}
