import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Hash, Said, Tag } from '@gatehouse/ui/parts.tsx';
import { clock, count, countOf, weekday } from '../../kit/words.ts';
import c from './approvals.module.css';
import { Pieces, plainOf, type Screen } from './pieces.tsx';

type Group = Screen['call']['groups'][number];
type Value = Group['values'][number];

/** As long as a line on a phone; longer ones get a line at their side and their length. */
const LONG = 120;
const isLong = (v: Value): boolean => v.length > LONG || v.text.some((p) => typeof p === 'string' && p.includes('\n'));

const Notes = ({ of: v, at }: { of: Value; at: boolean }) => (
  <>
    {v.notes.length > 0 && <small>{v.notes.join(' ')}</small>}
    {v.unreadable && (
      <small>
        {count(v.unreadable.bytes)} bytes that nobody can read here. SHA-256{' '}
        <Hash label="hash of the bytes">{v.unreadable.sha256}</Hash>
      </small>
    )}
    {isLong(v) && <small>{countOf(v.length, 'character')}, all of them shown</small>}
    {at && (
      <small className="gh-id">
        <Pieces of={v.at} />
      </small>
    )}
  </>
);

const Field = ({ group: g }: { group: Group }) => {
  // A pointer of one segment is the label itself.
  const at = g.kind !== 'other' || g.values.length > 1;
  return (
    <div className={c.field}>
      <dt>
        <Pieces of={g.label} />
      </dt>
      <dd>
        {g.sum !== null && <b>{g.sum}</b>}
        {g.kind === 'recipient' ? (
          <ul className={c.to}>
            {g.values.map((v, i) => (
              <li key={i} data-out={v.outside || undefined}>
                <Glyph name={v.outside ? 'outside' : 'ok'} size={v.outside ? 16 : 14} />
                <b>
                  <Pieces of={v.text} />
                </b>
                <Notes of={v} at={false} />
              </li>
            ))}
          </ul>
        ) : (
          <ul className={c.values}>
            {g.values.map((v, i) => (
              <li key={i}>
                {isLong(v) ? (
                  <div className={c.quote}>
                    <Pieces of={v.text} />
                  </div>
                ) : (
                  <span className={c.whole}>
                    <Pieces of={v.text} />
                  </span>
                )}
                <Notes of={v} at={at} />
              </li>
            ))}
          </ul>
        )}
      </dd>
    </div>
  );
};

/** The call field by field, made by the server from the arguments that the hash is over. Nothing is folded away. */
export const CallView = ({ of: s }: { of: Screen }) => (
  <dl>
    {s.call.groups.length === 0 ? (
      <div className={c.field}>
        <dt>Arguments</dt>
        <dd>none</dd>
      </div>
    ) : (
      s.call.groups.map((g, i) => <Field key={i} group={g} />)
    )}
  </dl>
);

/** What the agent says, in another material than ours. */
export const AgentSays = ({ of: s }: { of: Screen }) =>
  s.says && (
    <Said who={`${s.asker}’s agent`}>
      <Pieces of={s.says} />
    </Said>
  );

/** What is wanted, as a sentence, and of what kind. */
export const CallTitle = ({ of: s, as: H = 'h1' }: { of: Screen; as?: 'h1' | 'h2' }) => (
  <div>
    <H className={c.title}>
      <Pieces of={s.title} />
    </H>
    <p className={c.meta}>
      <span className="gh-id">
        <Pieces of={s.tool} />
      </span>
      <Tag>{s.class}</Tag>
      <span>
        <Pieces of={s.client} />,{' '}
        <time dateTime={s.asked} title={weekday(s.asked)}>
          {clock(s.asked).slice(0, 8)} UTC
        </time>
      </span>
    </p>
  </div>
);

/** Four words of the hash, which the agent's side shows, too. */
export const HashWords = ({ of: s }: { of: Screen }) => (
  <section aria-label={`Words of ${plainOf(s.tool)}`}>
    <h2>Same words on both screens</h2>
    <ol className={c.words}>
      {s.words.map((w) => (
        <li key={w}>{w}</li>
      ))}
    </ol>
    <p className="gh-s gh-2">
      The agent was told them, too. If they differ, deny.{' '}
      <Hash label="action hash" head={8} tail={4}>
        {s.hash}
      </Hash>
    </p>
  </section>
);
