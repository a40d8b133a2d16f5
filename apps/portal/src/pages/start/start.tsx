import { readStart } from '@gatehouse/client/start.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Glyph, tone, type GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { useAsk } from '../../kit/ask.ts';
import { useHere, useOrg } from '../../kit/org.tsx';
import { moment, since, weekday, when } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { PageLink } from './page-link.tsx';
import c from './start.module.css';

type Start = OutputOf<typeof readStart>;
type Need = Start['needs'][number];
type Step = Start['steps'][number];

export const loader = ({ org, ask }: LoaderContext) => ask(readStart, { org });

const glyphs: Record<Need['urgency'], GlyphName> = { held: 'held', broken: 'broken', breaks: 'caution', know: 'info' };
const numbers = 'No One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve'.split(' ');
const shortDay = (at: string): string => since(at).replace(/^since /, '');

function summary(needs: readonly Need[]): string {
  const n = needs.filter((x) => x.urgency !== 'know').length;
  if (n === 0) return 'Nothing needs a person.';
  return `${numbers[n] ?? String(n)} ${n === 1 ? 'thing needs' : 'things need'} a person; everything else is in order.`;
}

/** What IT opens in the morning: what is set up, what needs a person, what is in order. */
export function Page() {
  const org = useOrg();
  const start = useAsk(readStart, { org });
  return (
    <div className="gh-page">
      <Head title="Start">
        {weekday(start.at)}. {summary(start.needs)}
      </Head>
      <SetUp steps={start.steps} />
      <Needs of={start.needs} />
      <InOrder start={start} />
    </div>
  );
}

function SetUp({ steps }: { steps: readonly Step[] }) {
  const { org } = useHere();
  const key = `gatehouse set-up hidden ${org}`;
  const [hidden, setHidden] = useState(() => localStorage.getItem(key) !== null);
  const done = steps.filter((s) => s.done).length;
  const whole = done === steps.length;
  if (steps.length === 0 || (whole && hidden)) return null;
  const hide = (): void => {
    localStorage.setItem(key, 'yes');
    setHidden(true);
  };
  return (
    <Section
      title="Set-up"
      note={`${done} of ${steps.length} done`}
      aside={
        whole && (
          <button type="button" className={`gh-plain gh-s ${c.hide}`} onClick={hide}>
            Hide until something is undone
          </button>
        )
      }
    >
      <ol className={c.path}>
        {steps.map((s) => (
          <li key={s.code} data-next={!s.done || undefined}>
            <b>
              {s.done && <Glyph name="ok" size={14} />}
              {s.name}
              <span className="gh-vh">{s.done ? ', done' : ', to do'}</span>
            </b>
            {s.done ? (
              <small title={s.at === null ? undefined : moment(s.at)}>
                {[s.says, s.by === null ? '' : `by ${s.by}`, s.at === null ? '' : shortDay(s.at)]
                  .filter(Boolean)
                  .join(', ')}
              </small>
            ) : (
              <small>
                {s.says}.{' '}
                <PageLink page={s.page} plain>
                  {s.act}
                </PageLink>
              </small>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}

const When = ({ need: { since: from, until } }: { need: Need }) => {
  const at = until ?? from;
  if (at === null) return <span />;
  return (
    <time dateTime={at} title={moment(at)}>
      {until === null ? since(at) : when(until)}
    </time>
  );
};

const Needs = ({ of }: { of: readonly Need[] }) => (
  <Section title="Needs a person today" {...(of.length > 1 ? { note: 'most pressing first' } : {})}>
    {of.length === 0 ? (
      <p className="gh-2 gh-s">
        Nothing. What waits for a decision, is broken or will break stands here, each with the way to its repair.
      </p>
    ) : (
      <ol className={c.need}>
        {of.map((n) => (
          <li key={`${n.code} ${n.says}`} className={tone(glyphs[n.urgency])}>
            <Glyph name={glyphs[n.urgency]} />
            <h3>{n.says}</h3>
            <When need={n} />
            <p>{n.more}</p>
            <div className={c.do}>
              <PageLink page={n.page}>{n.act}</PageLink>
            </div>
          </li>
        ))}
      </ol>
    )}
  </Section>
);

const roomNames: Record<string, string> = { dlp: 'DLP', org: 'API keys and members' };
const roomName = (room: string): string => roomNames[room] ?? room;

const InOrder = ({ start: { fine, unseen } }: { start: Start }) => (
  <Section title="In order" {...(fine.length > 0 ? { note: `${fine.length} checked now` } : {})}>
    {fine.length > 0 && (
      <ul className={c.fine}>
        {fine.map((f) => (
          <li key={`${f.says} ${f.more}`}>
            <Glyph name="ok" size={14} />
            {f.says}
            <span className="gh-cut" title={f.at === null ? undefined : moment(f.at)}>
              {f.more}
              {f.at === null ? '' : ` ${when(f.at)}`}
            </span>
          </li>
        ))}
      </ul>
    )}
    {fine.length === 0 && <p className="gh-2 gh-s">Nothing has been seen to work yet.</p>}
    {unseen.length > 0 && (
      <p className="gh-xs gh-3">
        Your role may not read {unseen.map(roomName).join(', ')}; nothing is said here of how they stand.
      </p>
    )}
  </Section>
);
