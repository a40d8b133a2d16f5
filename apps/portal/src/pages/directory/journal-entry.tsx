import { getDirectory, getJournalEntry, rehearseJournalEntry } from '@gatehouse/client/directory.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Banner, Facts, Hash, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { bytes, count, countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { PageHead } from '../people/page-head.tsx';
import c from './directory.module.css';

/** As in journal.tsx: reading is written down. */
const entryOp = { ...getJournalEntry, room: 'journal' };

const inputOf = (org: string, params: Readonly<Record<string, string>>) => ({
  org,
  directory: params['directory'] ?? '',
  entry: params['entry'] ?? '',
});
export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(getDirectory, { org, directory: params['directory'] ?? '' }), ask(entryOp, inputOf(org, params))]);

const pretty = (text: string | null): string => {
  if (text === null || text === '') return 'no body';
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
};
const json = (value: unknown): string => JSON.stringify(value, null, 2);

/** One request of a directory in full, and what the same request would do now. */
export function Page() {
  const org = useOrg();
  const params: Record<string, string> = useParams({ strict: false });
  const directory = params['directory'] ?? '';
  const d = useAsk(getDirectory, { org, directory });
  const e = useAsk(entryOp, inputOf(org, params));
  const rehearsing = useDo({ ...rehearseJournalEntry, room: 'rehearsal' });
  const [done, setDone] = useState<OutputOf<typeof rehearseJournalEntry>>();
  return (
    <div className="gh-page">
      <PageHead
        room="Journal"
        roomAt={`directory/scim/${directory}/journal`}
        title={<span className={c.anywhere}>{`${e.method} ${e.path}`}</span>}
        actions={
          <Act
            can="directory.manage"
            loading={rehearsing.busy}
            onClick={() => void rehearsing.run({ ...inputOf(org, params), body: {} }).then((r) => r && setDone(r))}
          >
            Rehearse it now
          </Act>
        }
      >
        From {d.name}, <At at={e.at} exact /> UTC.
      </PageHead>
      {e.problem && (
        <Banner is="broken" title={`Refused with ${e.status}: ${sentence(e.problem.says)}`}>
          {e.problem.fix ? sentence(e.problem.fix) : ''} <span className="gh-id">{e.problem.code}</span>
        </Banner>
      )}
      <Problem of={rehearsing.refusal} />
      {done && <Rehearsed of={done} was={e.status} />}
      <div className={c.cols}>
        <div className={c.stack}>
          <Section title="As it came" note={e.truncated ? 'cut off, because it is long' : 'secrets taken out'}>
            <pre className={c.code} tabIndex={0} aria-label="Body of the request">
              {pretty(e.body)}
            </pre>
          </Section>
          <Section title="What it meant">
            <pre className={c.code} tabIndex={0} aria-label="What it meant">
              {json(e.meant)}
            </pre>
          </Section>
          <Section
            title="What it changed"
            note={e.changed.length === 0 ? 'nothing' : countOf(e.changed.length, 'change')}
          >
            {e.changed.length > 0 && (
              <pre className={c.code} tabIndex={0} aria-label="What it changed">
                {json(e.changed)}
              </pre>
            )}
          </Section>
        </div>
        <Section title="Facts">
          <Facts
            of={[
              [
                'Answer',
                e.status < 400 ? (
                  <State key="s" is="answered" quiet>
                    {e.status}
                  </State>
                ) : (
                  <State key="s" is="denied">
                    {e.status}
                  </State>
                ),
              ],
              ['Took', `${count(e.ms)} ms`],
              ['Size', bytes(e.bytes)],
              [
                'Resource',
                e.resource ? (
                  <Hash key="r" label="resource" head={14}>
                    {e.resource}
                  </Hash>
                ) : (
                  'none'
                ),
              ],
              [
                'Token',
                <Hash key="t" label="token" head={14}>
                  {e.token}
                </Hash>,
              ],
              [
                'Request',
                <Hash key="q" label="number of the request" head={14}>
                  {e.request}
                </Hash>,
              ],
              ...(e.operation === null ? [] : [['In a Bulk', `operation ${count(e.operation + 1)}`] as const]),
            ]}
          />
        </Section>
      </div>
    </div>
  );
}

const Rehearsed = ({ of: r, was }: { of: OutputOf<typeof rehearseJournalEntry>; was: number }) => (
  <section className="gh-box" aria-label="Rehearsal">
    <div className={c.rehearsal}>
      <h2>
        {r.status === was
          ? `It would end the same: ${r.status}`
          : `It would end with ${r.status} now, and ended with ${was}`}
      </h2>
      <p className="gh-s gh-2">Run again as it would run now, and undone. Nothing was changed.</p>
      {r.problem && (
        <p className="gh-s">
          {sentence(r.problem.says)} {r.problem.fix && sentence(r.problem.fix)}{' '}
          <span className="gh-id gh-3">{r.problem.code}</span>
        </p>
      )}
      {r.notes.map((n) => (
        <p key={n} className="gh-s">
          {sentence(n)}
        </p>
      ))}
      {r.events.length > 0 && (
        <pre className={c.code} tabIndex={0} aria-label="Events that would follow">
          {json(r.events)}
        </pre>
      )}
      <pre className={c.code} tabIndex={0} aria-label="Difference">
        {json(r.diff)}
      </pre>
    </div>
  </section>
);
