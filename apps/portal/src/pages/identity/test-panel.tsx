import { Button } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { readTest, testConnection } from '@gatehouse/client/identity.ts';
import { Banner, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { IconExternalLink } from '@tabler/icons-react';
import { Suspense, useState, type ReactNode } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { roleWord, type Role } from '../people/role-words.ts';
import c from './sso.module.css';
import { Stages } from './stages.tsx';

type Test = OutputOf<typeof readTest>;
const inTest = { test: '' };
const POLL_MS = 2000;

/** A dry sign-in: somebody signs in at the identity provider, nobody is let in, and everything that was said is shown. */
export function TestPanel({ connection, name }: { connection: string; name: string }) {
  const org = useOrg();
  const [at, set] = useAddress(inTest);
  const beginning = useDo(testConnection);
  // The address of a test opens it for whoever has it, so it stays out of ours.
  const [opened, setOpened] = useState({ id: '', url: '' });
  const begin = (
    <Act
      can="sso.manage"
      variant={at.test === '' ? 'filled' : 'default'}
      loading={beginning.busy}
      onClick={() =>
        void beginning.run({ org, connection }, (t) => {
          setOpened(t);
          set({ test: t.id });
        })
      }
    >
      {at.test === '' ? 'Test sign-in' : 'Test again'}
    </Act>
  );
  return (
    <div className={c.stack}>
      <Problem of={beginning.refusal} />
      {at.test === '' ? (
        <div className="gh-empty">
          <h3>Test the connection first</h3>
          <p>
            You sign in at {name} as yourself, and see here what it said of you and what would happen. Nobody is signed
            in, nothing is linked, nothing changes. Switched off or on, the test works.
          </p>
          <div className="gh-actions">{begin}</div>
        </div>
      ) : (
        <Suspense fallback={<Bones />}>
          <Result
            connection={connection}
            id={at.test}
            url={opened.id === at.test ? opened.url : ''}
            name={name}
            again={begin}
          />
        </Suspense>
      )}
    </div>
  );
}

function Result({
  connection,
  id,
  url,
  name,
  again,
}: {
  connection: string;
  id: string;
  url: string;
  name: string;
  again: ReactNode;
}) {
  const org = useOrg();
  const t = useAsk(
    readTest,
    { org, connection, test: id },
    { refetchInterval: (q) => (q.state.data?.state === 'finished' ? false : POLL_MS), staleTime: 0 },
  );
  if (t.state === 'waiting')
    return (
      <Banner
        is="info"
        title={`Sign in at ${name} now`}
        actions={
          <>
            {url !== '' && (
              <Button
                component="a"
                href={url}
                target="_blank"
                rel="noopener"
                variant="filled"
                rightSection={<IconExternalLink size={14} aria-hidden />}
              >
                Open the test
              </Button>
            )}
            {again}
          </>
        }
      >
        It opens in a window of its own; the result appears here by itself. The address works <When at={t.expiresAt} />,
        for whoever has it: give it to somebody else to test as them.
        {url !== '' && (
          <>
            <br />
            <CopyValue label="address of the test">{url}</CopyValue>
          </>
        )}
      </Banner>
    );
  return <Finished t={t} again={again} />;
}

function Finished({ t, again }: { t: Test; again: ReactNode }) {
  const failed = t.stages.find((s) => !s.ok);
  const [first] = t.orgs;
  return (
    <>
      <Banner
        is={failed ? 'broken' : 'answered'}
        title={
          failed && !failed.ok
            ? sentence(failed.says)
            : first?.admit
              ? `A real sign-in would succeed, as ${first.role ? roleWord[first.role as Role] : 'a member'}`
              : 'A real sign-in would succeed'
        }
        actions={again}
      >
        {failed && !failed.ok && failed.fix
          ? sentence(failed.fix)
          : 'Dry sign-in: no session was made and nothing was linked.'}{' '}
        {t.finishedAt && <When at={t.finishedAt} />}{' '}
        <Hash label="number of the test" head={14}>
          {t.id}
        </Hash>
      </Banner>
      <Stages of={t.stages.map((s) => ({ stage: s.stage, state: s.ok ? 'passed' : 'refused' }))} />
      {failed && !failed.ok && (
        <Section title="What was found">
          <table className="gh-table">
            <tbody>
              <tr>
                <th scope="row">Expected</th>
                <td className={c.got}>{failed.expected ?? 'unknown'}</td>
              </tr>
              <tr>
                <th scope="row">Found</th>
                <td className={c.got}>{failed.found ?? 'nothing'}</td>
              </tr>
            </tbody>
          </table>
        </Section>
      )}
      <Claims t={t} />
      {t.orgs.length > 0 && (
        <Section title="What would happen" note="in each organization of the parent">
          <ul className={c.orgs}>
            {t.orgs.map((o) => (
              <li key={o.org}>
                <State is={o.admit ? 'ok' : 'no'} quiet={o.admit}>
                  {o.name}: {o.admit ? `in, as ${o.role ? roleWord[o.role as Role] : 'a member'}` : 'not in'}
                </State>
                <span className="gh-2"> {o.reasons.map(sentence).join(' ')}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </>
  );
}

/** Every claim as it came, beside what we read it as. */
function Claims({ t }: { t: Test }) {
  if (t.received.length === 0)
    return (
      <Section title="Claims">
        <p className="gh-s gh-3">Nothing could be believed, so nothing is shown.</p>
      </Section>
    );
  const readAs = (values: readonly string[]): string[] =>
    t.mapped.filter((m) => values.includes(m.value) || m.value === values.join(', ')).map((m) => m.name);
  const known = new Set(t.received.flatMap((r) => readAs(r.values)));
  const made = t.mapped.filter((m) => !known.has(m.name));
  return (
    <Section title="Claims" note="only from bytes whose signature was checked">
      <table role="table" className={`gh-table ${c.claims}`}>
        <thead role="rowgroup">
          <tr role="row">
            {['Received', 'Value', 'Read as'].map((h) => (
              <th key={h} role="columnheader">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {t.received.map((r) => {
            const as = readAs(r.values);
            return (
              <tr key={r.name} role="row" data-off={as.length === 0 || undefined}>
                <td role="cell" className={c.key}>
                  {r.name}
                </td>
                <td role="cell" className={c.got}>
                  {r.values.map((v) => (
                    <div key={v}>{v}</div>
                  ))}
                </td>
                <td role="cell">{as.length === 0 ? 'not used' : as.join(', ')}</td>
              </tr>
            );
          })}
          {made.map((m) => (
            <tr key={m.name} role="row">
              <td role="cell" className={c.key}>
                <span className="gh-3">put together</span>
              </td>
              <td role="cell" className={c.got}>
                {m.value}
              </td>
              <td role="cell">{m.name}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
