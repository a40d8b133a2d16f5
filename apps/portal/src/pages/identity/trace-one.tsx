import type { OutputOf } from '@gatehouse/client/call.ts';
import { explainSignIn, readSignIn, replaySignIn } from '@gatehouse/client/identity.ts';
import { Banner, Facts, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Go } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { methodWord } from '../people/role-words.ts';
import c from './sso.module.css';
import { Stages } from './stages.tsx';
import { Outcome } from './trace.tsx';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> => {
  const trace = params['trace'] ?? '';
  return Promise.all([ask(readSignIn, { org, trace }), ask(explainSignIn, { org, trace })]);
};

type Explained = OutputOf<typeof explainSignIn>;

/** One sign-in, stage by stage: what was expected, what was found, one repair, and how many others failed so. */
export function Page() {
  const org = useOrg();
  const { trace: id = '' }: { trace?: string } = useParams({ strict: false });
  const t = useAsk(readSignIn, { org, trace: id });
  const e = useAsk(explainSignIn, { org, trace: id });
  const replaying = useDo({ ...replaySignIn, room: 'replay' });
  const [again, setAgain] = useState<OutputOf<typeof replaySignIn>>();
  return (
    <div className="gh-page">
      <PageHead
        room="Sign-in trace"
        roomAt="identity/trace"
        title={t.subject ?? 'Unknown person'}
        actions={
          e.refused &&
          (t.method === 'sso' || t.method === 'id_jag') && (
            <Act
              can="trace.read"
              loading={replaying.busy}
              onClick={() => void replaying.run({ org, trace: id }).then((r) => r && setAgain(r))}
            >
              Judge it again by today’s settings
            </Act>
          )
        }
      >
        <span className={c.said}>
          <Outcome of={t.outcome} />
          <span>
            {methodWord[t.method] ?? t.method}, <At at={t.at} exact /> UTC
          </span>
        </span>
      </PageHead>
      {e.refused && (
        <Banner is="broken" title={sentence(e.refused.says)}>
          {sentence(e.refused.repair)} <span className="gh-id">{e.refused.code}</span>
        </Banner>
      )}
      <Problem of={replaying.refusal} />
      {again && (
        <Banner
          is={again.refused ? 'caution' : 'answered'}
          title={
            again.refused
              ? `Judged again, it would still be refused: ${sentence(again.refused.says)}`
              : 'Judged again by today’s settings, it would be taken'
          }
        >
          {again.refused ? sentence(again.refused.repair) : 'Nobody was let in by that: the person signs in once more.'}
        </Banner>
      )}
      <Stages of={e.stages} />
      <div className={c.cols}>
        <StageTable e={e} />
        <div className={c.stack}>
          <Section title="Facts">
            <Facts
              of={[
                [
                  'Number',
                  <Hash key="n" label="number" head={16}>
                    {t.id}
                  </Hash>,
                ],
                [
                  'Outcome',
                  <span key="o" className="gh-mono">
                    {t.outcome}
                  </span>,
                ],
                [
                  'Connection',
                  t.connection ? (
                    <Hash key="c" label="connection" head={14}>
                      {t.connection}
                    </Hash>
                  ) : (
                    'none'
                  ),
                ],
                [
                  'Person',
                  t.user ? (
                    <Go key="p" to="directory/members" search={{ q: t.subject ?? '' }}>
                      Look for the member
                    </Go>
                  ) : (
                    'nobody here'
                  ),
                ],
              ]}
            />
          </Section>
          {e.refused && (
            <Section title="Others" note="refused so within 24 hours">
              <p className="gh-s gh-2">
                {e.similar.count === 0
                  ? 'Nobody else.'
                  : `${countOf(e.similar.count, 'sign-in')} of ${countOf(e.similar.people, 'person', 'people')}.`}
              </p>
              <ul className={c.orgs}>
                {e.similar.newest.map((n) => (
                  <li key={n}>
                    <Go to={`identity/trace/${n}`}>
                      <span className="gh-id">{n}</span>
                    </Go>
                  </li>
                ))}
              </ul>
            </Section>
          )}
        </div>
      </div>
    </div>
  );
}

const StageTable = ({ e }: { e: Explained }) => (
  <Section title="Stage by stage" note={`${count(e.stages.filter((s) => s.state === 'passed').length)} passed`}>
    <table role="table" className={`gh-table ${c.claims}`}>
      <thead role="rowgroup">
        <tr role="row">
          {['Stage', 'Found', 'State'].map((h) => (
            <th key={h} role="columnheader">
              {h}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {e.stages.map((s) => (
          <tr key={s.stage} role="row" data-off={s.state === 'not_reached' || undefined}>
            <td role="cell" className={c.key}>
              {s.stage}
            </td>
            <td role="cell" className={c.got}>
              {s.actual ?? (s.state === 'not_reached' ? '' : 'fine')}
              {s.expected !== null && <div className="gh-2">expected {s.expected}</div>}
              {s.code !== null && <div className="gh-3">{s.code}</div>}
            </td>
            <td role="cell">
              {s.state === 'passed' ? (
                <State is="ok" quiet>
                  passed
                </State>
              ) : s.state === 'refused' ? (
                <State is="denied">refused</State>
              ) : (
                'not reached'
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  </Section>
);
