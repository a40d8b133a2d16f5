import { Button, Modal } from '@mantine/core';
import { startConsent } from '@gatehouse/client/connectors.ts';
import { endMine } from '@gatehouse/client/connections.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useState, type ReactNode } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import c from './mine.module.css';
import { accessWords, standingOf, type ConnectorAccess, type MyConnector } from './words.ts';

/** Every connector that there is for me, how my own account at it stands, and the one thing to do about it. */
export function OwnConnections({ of, access }: { of: readonly MyConnector[]; access: readonly ConnectorAccess[] }) {
  const { orgName } = useHere();
  const [asks, setAsks] = useState<{ what: 'connect' | 'end'; connector: MyConnector }>();
  if (of.length === 0)
    return (
      <div className="gh-empty">
        <p>
          {orgName} has no connector yet. When an administrator adds one, it is here, and you connect your account to it
          where it needs one.
        </p>
      </div>
    );
  return (
    <>
      <ul className={c.con}>
        {of.map((con) => {
          const s = standingOf(
            con,
            access.find((a) => a.connector.id === con.id),
            orgName,
          );
          return (
            <li key={con.id}>
              <span className={c.logo} aria-hidden>
                {con.name.slice(0, 1).toUpperCase()}
              </span>
              <div>
                <h3>{con.name}</h3>
                <p>{s.says}</p>
              </div>
              <State is={s.is} quiet={s.is === 'ok' || s.is === 'no' || s.is === 'none'}>
                {s.word}
              </State>
              <span>{actOf(con, s.word, (what) => setAsks({ what, connector: con }))}</span>
            </li>
          );
        })}
      </ul>
      {asks?.what === 'connect' && <Connect connector={asks.connector} onClose={() => setAsks(undefined)} />}
      {asks?.what === 'end' && <Disconnect connector={asks.connector} onClose={() => setAsks(undefined)} />}
    </>
  );
}

function actOf(con: MyConnector, word: string, ask: (what: 'connect' | 'end') => void): ReactNode {
  const named = <span className="gh-vh"> {con.name}</span>;
  const personal = con.actAs === 'person' && con.on && con.ready && con.barred === null;
  if (
    con.connection &&
    personal &&
    con.connection.health.state === 'broken' &&
    con.connection.health.whose === 'person'
  )
    return (
      <Button size="sm" variant="filled" onClick={() => ask('connect')}>
        Connect again{named}
      </Button>
    );
  if (con.connection)
    return (
      <Button size="sm" onClick={() => ask('end')}>
        Disconnect{named}…
      </Button>
    );
  return personal && word !== 'Not for you' ? (
    <Button size="sm" onClick={() => ask('connect')}>
      Connect{named}…
    </Button>
  ) : null;
}

/** What connecting gives, before the browser leaves for the vendor. */
function Connect({ connector, onClose }: { connector: MyConnector; onClose: () => void }) {
  const { org, orgName } = useHere();
  const begin = useDo(startConsent);
  const widest = connector.levels.at(-1)?.access ?? 'read_only';
  const [access, setAccess] = useState(connector.connection?.access ?? widest);
  const go = async (): Promise<void> => {
    const begun = await begin.run({ org, con: connector.id, body: { access, from: 'portal' } });
    if (begun) location.assign(begun.url);
  };
  return (
    <Modal opened onClose={onClose} title={`Connect ${connector.name}?`} size={480}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">
          You go to {connector.name}, sign in with the account that {orgName} gave you there, and agree. Then your
          agents can use it in your name, within {orgName}’s rules. Every use is recorded. You can end it at any time.
        </p>
        <div className={c.levels} role="radiogroup" aria-label="What it may do">
          {connector.levels.map((l) => (
            <label key={l.access}>
              <input type="radio" name="access" checked={access === l.access} onChange={() => setAccess(l.access)} />
              <b>{l.access === 'read_only' ? 'Read' : 'Read and write'}</b>
              <small>
                {l.scopes.length > 0
                  ? `${connector.name} will ask you for: ${l.scopes.join(' ')}`
                  : 'no scopes are named'}
              </small>
            </label>
          ))}
        </div>
        <Problem of={begin.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button variant="filled" loading={begin.busy} onClick={() => void go()}>
            Continue to {connector.name}
          </Button>
        </div>
      </div>
    </Modal>
  );
}

function Disconnect({ connector, onClose }: { connector: MyConnector; onClose: () => void }) {
  const { org } = useHere();
  const end = useDo(endMine, { also: ['mine'], done: onClose });
  const own = connector.connection;
  if (!own) return null;
  return (
    <Modal opened onClose={onClose} title={`Disconnect ${connector.name}?`} size={480}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">
          Your agents can no longer {accessWords(own.access)} in {connector.name} as {own.account?.label ?? 'you'}, from
          now on. {connector.name} is told as soon as it can be. What they did stays.
        </p>
        <Problem of={end.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button
            variant="filled"
            color="negative"
            loading={end.busy}
            onClick={() => void end.run({ org, cnn: own.id })}
          >
            Disconnect {connector.name}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
