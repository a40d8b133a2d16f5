import { Button, Modal } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { listMyPasskeys, listMySessions, removePasskey, revokeMySession } from '@gatehouse/client/identity.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState, type ReactNode } from 'react';
import { useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useHere } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import type { LoaderContext } from '../page.ts';
import type { Refusal } from '@gatehouse/client/call.ts';
import c from './mine.module.css';
import { deviceOf } from './words.ts';

type Session = OutputOf<typeof listMySessions>['items'][number];
type Passkey = OutputOf<typeof listMyPasskeys>['items'][number];
const nothing = {};

export const loader = ({ ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listMySessions, { query: { limit: 1 } }), ask(listMyPasskeys, { query: { limit: 1 } })]);

/** Where I am signed in, and what I can prove with that it is me. */
export function Page() {
  const { org } = useHere();
  const [ending, setEnding] = useState<Session>();
  const [removing, setRemoving] = useState<Passkey>();
  return (
    <div className="gh-page">
      <Head room="Mine" roomHref={`/portal/${org}/mine`} title="Sessions and devices">
        Browsers in which you are signed in, and passkeys with which you prove that it is you.
      </Head>
      <Section title="Signed in">
        <DataTable
          op={listMySessions}
          input={nothing}
          name="sessions"
          searchable="Search browsers"
          row={(s) => s.id}
          height={48}
          columns={[
            {
              head: 'Browser',
              cell: (s) => (
                <span title={s.userAgent}>
                  <b>{deviceOf(s.userAgent)}</b>
                  {s.current && <span className="gh-xs gh-3"> this one</span>}
                </span>
              ),
              value: (s) => deviceOf(s.userAgent),
            },
            { head: 'Since, UTC', cell: (s) => <At at={s.createdAt} />, value: (s) => s.createdAt, width: '160px' },
            {
              head: 'Last seen, UTC',
              cell: (s) => <At at={s.lastSeenAt} />,
              value: (s) => s.lastSeenAt,
              width: '160px',
            },
            { head: 'Ends, UTC', cell: (s) => <At at={s.expiresAt} />, value: (s) => s.expiresAt, width: '160px' },
            {
              head: 'Session',
              cell: (s) => (
                <Button size="sm" onClick={() => setEnding(s)}>
                  Sign out<span className="gh-vh"> {deviceOf(s.userAgent)}</span>…
                </Button>
              ),
              width: '110px',
            },
          ]}
          empty={<p>You are signed in nowhere.</p>}
        />
      </Section>
      <Section
        title="Passkeys"
        note="for approvals, and for signing in where your organization takes them"
        aside={
          <Button component="a" size="sm" href="/me/passkeys">
            Add a passkey
          </Button>
        }
      >
        <DataTable
          op={listMyPasskeys}
          input={nothing}
          name="passkeys"
          searchable={false}
          row={(p) => p.id}
          columns={[
            { head: 'Passkey', cell: (p) => <b>{p.name}</b>, value: (p) => p.name },
            {
              head: 'Kept',
              cell: (p) => (p.backedUp ? 'also by its maker, on your other devices' : 'on one device only'),
              value: (p) => (p.backedUp ? 'synchronized' : 'one device'),
            },
            { head: 'Since, UTC', cell: (p) => <At at={p.createdAt} />, value: (p) => p.createdAt, width: '160px' },
            {
              head: 'Last used, UTC',
              cell: (p) => (p.usedAt ? <At at={p.usedAt} /> : 'not yet'),
              value: (p) => p.usedAt ?? '',
              width: '160px',
            },
            {
              head: 'Remove',
              cell: (p) => (
                <Button size="sm" onClick={() => setRemoving(p)}>
                  Remove<span className="gh-vh"> {p.name}</span>…
                </Button>
              ),
              width: '110px',
            },
          ]}
          empty={
            <>
              <p>
                You have no passkey. Some approvals need one: it shows that you yourself agreed to exactly this call.
              </p>
              <div className="gh-actions">
                <Button component="a" href="/me/passkeys">
                  Add the first passkey
                </Button>
              </div>
            </>
          }
        />
      </Section>
      {ending && <EndSession of={ending} onClose={() => setEnding(undefined)} />}
      {removing && <RemovePasskey of={removing} onClose={() => setRemoving(undefined)} />}
    </div>
  );
}

function EndSession({ of, onClose }: { of: Session; onClose: () => void }) {
  const end = useDo(revokeMySession, {
    done: () => (of.current ? location.assign('/sign-in') : onClose()),
  });
  return (
    <Sure
      title={`Sign out of ${deviceOf(of.userAgent)}?`}
      act="Sign out"
      refusal={end.refusal}
      busy={end.busy}
      onClose={onClose}
      onAct={() => void end.run({ session: of.id })}
    >
      {of.current ? 'This is the browser that you are using now.' : 'Whoever uses that browser has to sign in again.'}{' '}
      Agents that you gave access keep it.
    </Sure>
  );
}

function RemovePasskey({ of, onClose }: { of: Passkey; onClose: () => void }) {
  const remove = useDo(removePasskey, { done: onClose });
  return (
    <Sure
      title={`Remove the passkey ${of.name}?`}
      act="Remove the passkey"
      refusal={remove.refusal}
      busy={remove.busy}
      onClose={onClose}
      onAct={() => void remove.run({ passkey: of.id })}
    >
      It proves nothing here any more. Delete it on its device, too.
    </Sure>
  );
}

function Sure({
  title,
  act,
  children,
  refusal,
  busy,
  onClose,
  onAct,
}: {
  title: string;
  act: string;
  children: ReactNode;
  refusal: Refusal | undefined;
  busy: boolean;
  onClose: () => void;
  onAct: () => void;
}) {
  return (
    <Modal opened onClose={onClose} title={title} size={480}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">{children}</p>
        <Problem of={refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button variant="filled" color="negative" loading={busy} onClick={onAct}>
            {act}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
