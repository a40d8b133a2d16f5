import { getEvent, searchEvents } from '@gatehouse/client/audit.ts';
import { Refusal } from '@gatehouse/client/call.ts';
import { DecisionPath } from '@gatehouse/ui/decision-path.tsx';
import { tone } from '@gatehouse/ui/glyphs.tsx';
import { Facts, Hash, State, Tag } from '@gatehouse/ui/parts.tsx';
import { ActionIcon, Menu } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconDots, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { question } from '../../kit/ask.ts';
import { Bones } from '../../kit/bones.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { clock, count, weekday } from '../../kit/words.ts';
import c from './audit.module.css';
import { pathOf } from './decision.ts';
import { decidedBy, endingOf, Plain, Says, whoOf, type LogEvent, type Names } from './event-words.tsx';
import { Proof } from './proof.tsx';

const icon = { size: 16, stroke: 1.75, 'aria-hidden': true } as const;

/** One event in full: its sentence, the way of its call, what was recorded, and the proof. */
export function EventDetail({
  seq,
  log,
  onClose,
  onMove,
  onCall,
}: {
  seq: number;
  log: 'org' | 'parent';
  onClose: () => void;
  onMove: (by: number) => void;
  onCall: (call: string) => void;
}) {
  const org = useOrg();
  // What is at a position never changes, so it is read once and not with each change of the log; a proof that is not there yet is.
  const { data, error, refetch } = useQuery({
    ...question(getEvent, { org, seq: String(seq), query: { log } }),
    queryKey: ['log event', org, log, seq],
    staleTime: Infinity,
    refetchInterval: (q) => (q.state.data && !q.state.data.proof ? 1500 : false),
  });
  const named = useQuery({
    ...question(searchEvents, { org, query: { log, before: seq + 1, limit: 1 } }),
    queryKey: ['log event names', org, log, seq],
    staleTime: Infinity,
  }).data?.names;
  const copy = (text: string): void => void navigator.clipboard?.writeText(text);
  return (
    <>
      <div className={c.dhead}>
        <span className="gh-mono gh-num">#{count(seq)}</span>
        <span className={`gh-3 gh-xs gh-cut ${c.type}`}>{data?.event.type}</span>
        <span className="gh-grow" />
        <ActionIcon aria-label="Newer event" onClick={() => onMove(-1)}>
          <IconChevronUp {...icon} />
        </ActionIcon>
        <ActionIcon aria-label="Older event" onClick={() => onMove(1)}>
          <IconChevronDown {...icon} />
        </ActionIcon>
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon aria-label="More">
              <IconDots {...icon} />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item onClick={() => copy(location.href)}>Copy link to this event</Menu.Item>
            {data && <Menu.Item onClick={() => copy(JSON.stringify(data, null, 2))}>Copy as JSON</Menu.Item>}
            {data?.event.call !== undefined && (
              <Menu.Item onClick={() => onCall(data.event.call ?? '')}>Show events of this call</Menu.Item>
            )}
          </Menu.Dropdown>
        </Menu>
        <ActionIcon aria-label="Close event" onClick={onClose}>
          <IconX {...icon} />
        </ActionIcon>
      </div>
      <div className={c.dbody}>
        {error instanceof Refusal && <Problem of={error} again={() => void refetch()} />}
        {!data && !error && <Bones />}
        {data && <Full of={data.event} names={named ?? {}} log={log} />}
        {data && (
          <section aria-labelledby="proof" className={c.part}>
            <h3 id="proof">In the log, provably</h3>
            <Proof of={data} log={log} />
          </section>
        )}
      </div>
    </>
  );
}

function Full({ of: e, names, log }: { of: LogEvent; names: Names; log: 'org' | 'parent' }) {
  const { glyph, word, normal } = endingOf(e);
  const others = useCall(e.call, log).filter((o) => o.seq !== e.seq);
  const ended = [e, ...others].find((o) => o.type === 'tool.finished');
  return (
    <>
      <div>
        <State is={glyph} quiet={normal}>
          {word}
        </State>
        <h2 className={c.sentence}>
          <b>
            <Plain>{whoOf(e, names)}</Plain>
          </b>{' '}
          <Says names={names}>{e.says}</Says>
          {e.connector !== undefined && names[e.connector] !== undefined && (
            <>
              {' '}
              with <Plain>{names[e.connector] ?? ''}</Plain>
            </>
          )}
          .
        </h2>
      </div>
      {ended && (
        <section aria-label="Decision path" className={c.part}>
          <DecisionPath of={pathOf(ended)} label="Decision path of this call" />
          <Why of={ended} />
        </section>
      )}
      <Facts of={factsOf(e, names)} />
      {others.length > 0 && (
        <section aria-labelledby="same-call" className={c.part}>
          <h3 id="same-call">The same call</h3>
          <ol className={c.others}>
            {others.map((o) => (
              <li key={o.seq}>
                <Link to="." search={(s: Record<string, unknown>) => ({ ...s, event: o.seq })} className="gh-num">
                  #{count(o.seq)}
                </Link>
                <span className="gh-3 gh-num">{clock(o.at)}</span>
                <span>
                  <Says names={names}>{o.says}</Says>
                </span>
              </li>
            ))}
          </ol>
        </section>
      )}
      <details className={c.all}>
        <summary>Everything that was recorded</summary>
        <pre tabIndex={0}>
          <Plain>{JSON.stringify(e.data, null, 2)}</Plain>
        </pre>
      </details>
    </>
  );
}

/** The events of a call, oldest first. */
function useCall(call: string | undefined, log: 'org' | 'parent'): readonly LogEvent[] {
  const org = useOrg();
  const { data } = useQuery({
    ...question(searchEvents, { org, query: { call: call ?? '', log, limit: 50 } }),
    enabled: call !== undefined,
  });
  return call === undefined ? [] : (data?.events ?? []).toReversed();
}

function Why({ of: e }: { of: LogEvent }) {
  const org = useOrg();
  const { glyph, normal } = endingOf(e);
  if (normal) return null;
  const why = e.data['why'];
  const rules = decidedBy(e);
  return (
    <div className={`${c.why} ${tone(glyph)}`}>
      <p>
        <b>Why: </b>
        {typeof why === 'string' ? why : 'nothing more was recorded'}
        {rules.length > 0 && <>; decided by {rules.join(', ')}</>}.
      </p>
      {e.call !== undefined && (
        <p>
          <Link to="/$org/audit/why" params={{ org }} search={{ q: e.call }}>
            Why was this refused, in full
          </Link>
        </p>
      )}
    </div>
  );
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

function factsOf(e: LogEvent, names: Names): readonly (readonly [ReactNode, ReactNode])[] {
  const id = (label: string, value: string | undefined): readonly (readonly [ReactNode, ReactNode])[] =>
    value === undefined
      ? []
      : [
          [
            label,
            <Hash key={label} label={label.toLowerCase()} head={40}>
              {value}
            </Hash>,
          ],
        ];
  const actor: Readonly<Record<string, unknown>> = e.actor;
  const client = text(actor['client']);
  const args = text(e.data['argsHash']);
  const rules = decidedBy(e);
  return [
    [
      'Time',
      <span key="t" className="gh-num">
        {clock(e.at)} UTC <span className="gh-3">· {weekday(e.at)}</span>
      </span>,
    ],
    [
      'Who',
      <span key="w">
        <Plain>{whoOf(e, names)}</Plain> <span className="gh-3">· {e.actor.kind.replace('_', ' ')}</span>{' '}
        {e.actor.id !== undefined && <span className="gh-id gh-3">{e.actor.id}</span>}
      </span>,
    ],
    ...(client === undefined ? [] : ([['Agent', <Plain key="c">{client}</Plain>]] as const)),
    ...(e.connector === undefined
      ? []
      : ([['Connector', <Plain key="n">{names[e.connector] ?? e.connector}</Plain>]] as const)),
    ...(e.tool === undefined
      ? []
      : ([
          [
            'Tool',
            <span key="o" className="gh-id">
              <Plain>{e.tool}</Plain>
            </span>,
          ],
        ] as const)),
    ...(args === undefined
      ? []
      : ([
          [
            'Arguments',
            <span key="g">
              kept as keyed hash{' '}
              <Hash label="argument hash" head={8} tail={4}>
                {args}
              </Hash>
            </span>,
          ],
        ] as const)),
    ...(rules.length === 0
      ? []
      : ([
          [
            'Decided by',
            <span key="d" className="gh-line gh-wrap">
              {rules.map((r) => (
                <Tag key={r}>{r}</Tag>
              ))}
            </span>,
          ],
        ] as const)),
    ...id('About', e.resource),
    ...id('Call', e.call),
    ...id('Request', e.request === '' ? undefined : e.request),
    ...id('Event', e.id),
  ];
}
