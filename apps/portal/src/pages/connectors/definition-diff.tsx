import type { OutputOf } from '@gatehouse/client/call.ts';
import type { getReview } from '@gatehouse/client/connectors.ts';
import { visible } from '@gatehouse/contract/visible.ts';
import { Hash } from '@gatehouse/ui/parts.tsx';
import { Fragment, type ReactNode } from 'react';
import { Seen } from '../../kit/seen.tsx';
import { moment } from '../../kit/words.ts';
import { printed, sideBySide, type Line } from './line-diff.ts';
import c from './sheet.module.css';

export type Sheet = OutputOf<typeof getReview>;
export type Numbered = Sheet['findings'][number] & { no: number };

export const No = ({ n }: { n: number }) => (
  <span className={c.no} role="img" aria-label={`finding ${n}`}>
    {n}
  </span>
);

const isRecord = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v);
const fieldsOf = (v: unknown): Record<string, unknown> => (isRecord(v) ? v : {});
/** In the order in which a reviewer should read. What is prose for the model comes first. */
const parts: { key: string; name: string; note: string }[] = [
  { key: 'instructions', name: 'Instructions', note: 'every character is shown' },
  { key: 'title', name: 'Title', note: 'shown to people' },
  { key: 'description', name: 'Description', note: 'every character is shown' },
  { key: 'inputSchema', name: 'Input', note: 'JSON Schema' },
  { key: 'outputSchema', name: 'Output', note: 'JSON Schema' },
  { key: 'annotations', name: 'Hints', note: 'shown for information; hints never decide' },
];

/** A definition as it is offered now beside the one that was reviewed, with the findings where they stand. */
export function DefinitionDiff({ of, findings }: { of: Sheet; findings: readonly Numbered[] }) {
  const now = fieldsOf(of.definition);
  const before = of.against ? fieldsOf(of.against.definition) : undefined;
  const keys = new Set([...Object.keys(now), ...Object.keys(before ?? {})]);
  keys.delete('name');
  const known = parts.filter((p) => keys.has(p.key));
  for (const p of known) keys.delete(p.key);
  const rest = [...keys].map((key) => ({ key, name: key, note: '' }));
  const changed = [...known, ...rest].filter(
    (p) => !before || JSON.stringify(before[p.key]) !== JSON.stringify(now[p.key]) || has(findings, p.key),
  );
  const same = [...known, ...rest].filter((p) => !changed.includes(p));
  return (
    <div className={c.sides}>
      <div className={c.col}>
        <b>As reviewed</b>
        <small>
          {of.against ? (
            <>
              {of.reviewed ? `on ${moment(of.reviewed.at)}` : 'earlier'}
              {of.class && `, as ${of.class}`} · pin <Hash label="pin">{of.against.pin}</Hash>
            </>
          ) : (
            'never'
          )}
        </small>
      </div>
      <div className={`${c.col} ${c.now}`}>
        <b>As offered now</b>
        <small>
          first seen {moment(of.since)} · pin <Hash label="pin">{of.pin}</Hash>
        </small>
      </div>
      {changed.map((p) => (
        <Part key={p.key} part={p} now={now[p.key]} before={before?.[p.key]} sheet={of} findings={findings} />
      ))}
      {same.length > 0 && (
        <div className={c.band}>
          <b>{same.map((p) => p.name).join(', ')}</b> unchanged
        </div>
      )}
    </div>
  );
}

const has = (findings: readonly Numbered[], key: string): boolean =>
  findings.some((f) => f.at === `/${key}` || f.at.startsWith(`/${key}/`));

type PartProps = {
  part: { key: string; name: string; note: string };
  now: unknown;
  before: unknown;
  sheet: Sheet;
  findings: readonly Numbered[];
};

function Part({ part, now, before, sheet, findings }: PartProps) {
  const at = `/${part.key}`;
  const texts = [now, before].every((v) => v === undefined || typeof v === 'string');
  return (
    <>
      <div className={c.band}>
        <b>
          <Seen>{part.name}</Seen>
        </b>
        {part.note}
      </div>
      {texts ? (
        <Prose
          at={at}
          before={typeof before === 'string' ? before : undefined}
          now={typeof now === 'string' ? now : undefined}
          sheet={sheet}
          findings={findings.filter((f) => f.at === at)}
        />
      ) : (
        <Code
          before={before === undefined ? [] : printed(before, at)}
          now={now === undefined ? [] : printed(now, at)}
          name={part.name}
          findings={findings.filter((f) => f.at === at || f.at.startsWith(`${at}/`))}
        />
      )}
    </>
  );
}

function Prose({
  at,
  before,
  now,
  sheet,
  findings,
}: {
  at: string;
  before: string | undefined;
  now: string | undefined;
  sheet: Sheet;
  findings: readonly Numbered[];
}) {
  const lines = sheet.changes.find((x) => x.at === at)?.lines ?? undefined;
  return (
    <>
      <div className={c.text} data-l="As reviewed">
        {before === undefined ? (
          <span className="gh-3">nothing</span>
        ) : lines ? (
          lines
            .filter((l) => l.op !== 'inserted')
            .map((l, i) => (
              <span key={i} className={l.op === 'deleted' ? c.del : undefined}>
                <Seen done>{l.text}</Seen>
              </span>
            ))
        ) : (
          <Seen>{before}</Seen>
        )}
      </div>
      <div className={`${c.text} ${c.now}`} data-l="As offered now">
        {now === undefined ? (
          <span className="gh-3">nothing</span>
        ) : (
          <Flagged
            pieces={
              lines
                ? lines.filter((l) => l.op !== 'deleted').map((l) => ({ text: l.text, fresh: l.op === 'inserted' }))
                : [{ text: visible(now), fresh: false }]
            }
            findings={findings}
          />
        )}
      </div>
    </>
  );
}

/** An excerpt may begin and end within a word. */
function wholeWords(text: string, begin: number, end: number): { from: number; to: number } {
  let [from, to] = [begin, end];
  while (from > 0 && /\S/.test(text.charAt(from - 1))) from--;
  while (to < text.length && /\S/.test(text.charAt(to))) to++;
  return { from, to };
}

/** What was found, where it stands in the text: the number before it, the words marked. */
function Flagged({
  pieces,
  findings,
}: {
  pieces: readonly { text: string; fresh: boolean }[];
  findings: readonly Numbered[];
}) {
  const text = pieces.map((p) => p.text).join('');
  const marks = findings.map((f) => {
    const core = f.excerpt.replace(/^…/, '').replace(/…$/, '');
    const from = text.indexOf(core);
    return from < 0 ? { no: f.no, from: 0, to: 0 } : { no: f.no, ...wholeWords(text, from, from + core.length) };
  });
  const cuts = new Set([0, text.length]);
  let end = 0;
  for (const p of pieces) cuts.add((end += p.text.length));
  for (const m of marks) {
    cuts.add(m.from);
    cuts.add(m.to);
  }
  const points = [...cuts].sort((a, b) => a - b);
  const freshAt = (i: number): boolean => {
    let to = 0;
    return pieces.find((p) => i < (to += p.text.length))?.fresh ?? false;
  };
  const out: ReactNode[] = [];
  points.forEach((from, i) => {
    const to = points[i + 1];
    const here = marks.filter((m) => m.from === from);
    const flagged = marks.some((m) => m.from <= from && from < m.to);
    out.push(
      <Fragment key={from}>
        {here.map((m) => (
          <No key={m.no} n={m.no} />
        ))}
        {to !== undefined && (
          <span className={flagged ? c.flag : freshAt(from) ? c.ins : undefined}>
            <Seen done>{text.slice(from, to)}</Seen>
          </span>
        )}
      </Fragment>,
    );
  });
  return <>{out}</>;
}

function Code({
  before,
  now,
  name,
  findings,
}: {
  before: readonly Line[];
  now: readonly Line[];
  name: string;
  findings: readonly Numbered[];
}) {
  const pairs = sideBySide(before, now);
  // A finding stands at the first line of its place, or of the nearest one around it.
  const lineOf = (at: string): number => {
    for (let place = at; place !== ''; place = place.slice(0, place.lastIndexOf('/'))) {
      const i = pairs.findIndex((p) => p.now?.at === place);
      if (i >= 0) return i;
    }
    return 0;
  };
  const numbers = Map.groupBy(findings, (f) => lineOf(f.at));
  return (
    <div className={c.code} role="group" aria-label={name}>
      {pairs.map((p, i) => (
        <div key={`${p.before?.n ?? ''}-${p.now?.n ?? ''}`} className={c.pair} data-same={p.same || undefined}>
          <Cell line={p.before} sign={p.same ? '' : '-'} />
          <Cell line={p.now} sign={p.same ? '' : '+'}>
            {numbers.get(i)?.map((f) => (
              <No key={f.no} n={f.no} />
            ))}
          </Cell>
        </div>
      ))}
    </div>
  );
}

const Cell = ({
  line,
  sign,
  children,
}: {
  line: (Line & { n: number }) | undefined;
  sign: '' | '-' | '+';
  children?: ReactNode;
}) => (
  <div className={c.cell} data-d={line ? sign : '0'}>
    <i>{line?.n}</i>
    {sign !== '' && line ? (
      <span role="img" aria-label={sign === '+' ? 'added' : 'removed'}>
        {sign}
      </span>
    ) : (
      <span />
    )}
    <span>
      {line && <Seen>{line.text}</Seen>}
      {children}
    </span>
  </div>
);
