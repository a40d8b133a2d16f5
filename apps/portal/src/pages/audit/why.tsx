import { searchEvents } from '@gatehouse/client/audit.ts';
import { call, Refusal } from '@gatehouse/client/call.ts';
import { explainSignIn } from '@gatehouse/client/identity.ts';
import { explainCall } from '@gatehouse/client/policy.ts';
import { DecisionPath } from '@gatehouse/ui/decision-path.tsx';
import { Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { question } from '../../kit/ask.ts';
import { useHere } from '../../kit/org.tsx';
import { Bones } from '../../kit/bones.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { At } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import c from './audit.module.css';
import { pathOf } from './decision.ts';
import { endingOf, Says, whoOf, Plain, type LogEvent, type Names } from './event-words.tsx';
import type { Query } from './query.ts';

const state = { q: '' };
const refusalOf = (e: unknown): Refusal | undefined => (e instanceof Refusal ? e : undefined);

/** What of the log a number is about. Event ids begin with their time, by which the log finds them. */
function queryOf(number: string): Query | undefined {
  const hex = /^evt_([0-9a-f]{12})/.exec(number)?.[1];
  if (hex !== undefined) {
    const at = Number.parseInt(hex, 16);
    const iso = (ms: number): string => new Date(ms).toISOString();
    return { text: number, since: iso(at - 1000), until: iso(at + 1000) };
  }
  if (number.startsWith('tcl_')) return { call: number };
  if (number.startsWith('req_')) return { request: number };
  if (/^[a-z]{3}_[0-9a-f]{32}$/.test(number)) return { resource: number };
  return undefined;
}

/** Somebody quotes a number: what happened there, and why it ended as it did. */
export function Page() {
  const { org } = useHere();
  const [at, set] = useAddress(state);
  const [typed, setTyped] = useState(at.q);
  useEffect(() => setTyped(at.q), [at.q]);
  const number = at.q.trim();
  const query = queryOf(number);
  return (
    <div className="gh-page">
      <Head room="Audit" roomHref={`/portal/${org}/audit`} title="Why was this refused">
        Every refusal gives a number. With it you see what was recorded, which rule decided, and what to do next.
      </Head>
      <form
        className={c.ask}
        onSubmit={(e) => {
          e.preventDefault();
          set({ q: typed.trim() });
        }}
      >
        <TextInput
          label="The number that was quoted"
          description="Of a request (req_…), a call (tcl_…), a sign-in (sgn_…), an event (evt_…), or of whatever an event is about."
          value={typed}
          onChange={(e) => setTyped(e.currentTarget.value)}
          styles={{ input: { fontFamily: 'var(--gh-mono)', fontSize: 13 } }}
        />
        <Button type="submit" variant="filled">
          Explain
        </Button>
      </form>
      {number !== '' && !query && (
        <p className="gh-2" role="status">
          “{number}” is not a number of ours: those have three letters, an underscore and 32 characters.
        </p>
      )}
      {number.startsWith('sgn_') && <SignIn trace={number} />}
      {number.startsWith('tcl_') && <Rules of={number} />}
      {query && !number.startsWith('sgn_') && <Recorded query={query} number={number} />}
    </div>
  );
}

function Recorded({ query, number }: { query: Query; number: string }) {
  const { org } = useHere();
  const { data, error, isPending } = useQuery(question(searchEvents, { org, query: { ...query, limit: 100 } }));
  if (isPending) return <Bones />;
  if (error) return <Problem of={refusalOf(error)} />;
  const events = data.events.toReversed();
  const ended = events.findLast((e) => e.disposition !== undefined);
  return (
    <Section
      title="What was recorded"
      note={`${count(events.length)} ${events.length === 1 ? 'event' : 'events'}, oldest first`}
    >
      {ended && (
        <>
          <p>
            <State is={endingOf(ended).glyph}>{endingOf(ended).word}</State>
          </p>
          {ended.type === 'tool.finished' && <DecisionPath of={pathOf(ended)} label="Decision path of this call" />}
        </>
      )}
      {events.length === 0 ? (
        <div className="gh-empty">
          <h3>Nothing in this log is about {number}</h3>
          <p>
            A request that was refused before it could change anything is in the server’s own log, under this number;
            whoever runs the server finds it there. Sign-ins and users are in the log of the parent organization.
          </p>
        </div>
      ) : (
        <ol className={c.story}>
          {events.map((e) => (
            <Line key={e.seq} of={e} names={data.names} />
          ))}
        </ol>
      )}
    </Section>
  );
}

function Line({ of: e, names }: { of: LogEvent; names: Names }) {
  const { org } = useHere();
  const why = e.data['why'];
  return (
    <li>
      <Link to="/$org/audit" params={{ org }} search={{ event: e.seq }} className="gh-num">
        #{count(e.seq)}
      </Link>
      <At at={e.at} exact />
      <span>
        <b>
          <Plain>{whoOf(e, names)}</Plain>
        </b>{' '}
        <Says names={names}>{e.says}</Says>
        {typeof why === 'string' && <span className="gh-2">; {why}</span>}
      </span>
    </li>
  );
}

/** The rules that decided a call, and what they say of it today. */
function Rules({ of }: { of: string }) {
  const { org, may } = useHere();
  const allowed = may('policy.read').ok;
  // Asking leaves an event, so it is asked once: under a key of the room it would be asked again because of its own trace.
  const { data, error, isPending } = useQuery({
    queryKey: ['explained call', org, of],
    queryFn: ({ signal }) => call(explainCall, { org, body: { call: of } }, signal),
    enabled: allowed,
    retry: false,
    staleTime: Infinity,
  });
  if (!allowed) return null;
  if (isPending) return <Bones rows={3} />;
  if (error) return <Problem of={refusalOf(error)} />;
  if (!('call' in data)) return null;
  return (
    <Section title="Which rules decided">
      {data.decided ? (
        <ul className={c.rules}>
          {data.decided.policies.map((p) => (
            <li key={p.policy}>
              <b>{p.name}</b> {p.words !== null && <span className="gh-2">{p.words}</span>}
              {!p.inForce && <span className="gh-3"> (not in force any more)</span>}
            </li>
          ))}
          {data.decided.policies.length === 0 && (
            <li className="gh-2">No rule allowed it; what no rule allows is denied.</li>
          )}
        </ul>
      ) : (
        <p className="gh-2 gh-s">
          {data.missing === null ? 'It did not come as far as the rules.' : sentence(data.missing)}
        </p>
      )}
      {data.now && (
        <p className="gh-s">
          <b>Today:</b> {sentence(data.now.says)}
        </p>
      )}
    </Section>
  );
}

/** The stages of a sign-in, and where it stopped. */
function SignIn({ trace }: { trace: string }) {
  const { org, may } = useHere();
  const { data, error, isPending } = useQuery({
    ...question(explainSignIn, { org, trace }),
    queryKey: ['explained sign-in', org, trace],
    staleTime: Infinity,
    enabled: may('trace.read').ok,
    retry: false,
  });
  if (!may('trace.read').ok)
    return <p className="gh-2">{sentence(`sign-ins are explained to whoever may read traces`)}</p>;
  if (isPending) return <Bones rows={4} />;
  if (error) return <Problem of={refusalOf(error)} />;
  return (
    <Section title="What happened at this sign-in">
      {data.refused ? (
        <div className={`${c.why} gh-tone gh-negative`}>
          <p>
            <b>Why: </b>
            {sentence(data.refused.says)}
          </p>
          <p className="gh-2">{sentence(data.refused.repair)}</p>
          <p className="gh-xs gh-3 gh-id">{data.refused.code}</p>
        </div>
      ) : (
        <p>
          <State is="answered">It came through</State>
        </p>
      )}
      <ol className={c.rules}>
        {data.stages.map((s) => (
          <li key={s.stage}>
            <State
              is={s.state === 'passed' ? 'ok' : s.state === 'refused' ? 'denied' : 'none'}
              quiet={s.state !== 'refused'}
            >
              {s.stage}
            </State>
            {s.expected !== null && <span className="gh-2"> expected {s.expected}</span>}
            {s.actual !== null && (
              <span className="gh-2">
                {s.expected === null ? ' ' : ', '}found <Plain>{s.actual}</Plain>
              </span>
            )}
          </li>
        ))}
      </ol>
    </Section>
  );
}
