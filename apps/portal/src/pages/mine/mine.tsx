import { list as listApprovals } from '@gatehouse/client/approvals.ts';
import { listMySessions } from '@gatehouse/client/identity.ts';
import { listCalls, listConnectors, readAccess } from '@gatehouse/client/mine.ts';
import { Glyph, tone } from '@gatehouse/ui/glyphs.tsx';
import { Banner, Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { Go } from '../../kit/go.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { countOf, moment, when } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './mine.module.css';
import { OwnConnections } from './own-connections.tsx';
import {
  classStanding,
  classWords,
  deviceOf,
  endings,
  whyOf,
  type ConnectorAccess,
  type MyCall,
  type MyTool,
} from './words.ts';

const waiting = (org: string) => ({ org, query: { for: 'mine', state: 'pending', limit: 50 } }) as const;
const refused = (org: string) => ({ org, query: { refused: 'true', limit: 3 } });
const sessions = { query: { limit: 5 } };
const classes = ['read', 'write', 'destructive'] as const;

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, { org }),
    ask(readAccess, { org }),
    ask(listApprovals, waiting(org)),
    ask(listCalls, refused(org)),
    ask(listMySessions, sessions),
  ]);

const arrival = { connected: '' };

/** What is connected in my name, and what my agents may do with it. */
export function Page() {
  const { org, orgName } = useHere();
  const [{ connected }] = useAddress(arrival);
  const { items: connectors } = useAsk(listConnectors, { org });
  const { connectors: access } = useAsk(readAccess, { org });
  const made = connectors.find((con) => con.connection?.id === connected);
  return (
    <div className="gh-page">
      <Head title="Mine">
        What is connected in your name, and what your agents may do with it. Nobody but you and {orgName}’s
        administrators sees this.
      </Head>
      {made?.connection && (
        <Banner is="ok" title={`${made.name} is connected as ${made.connection.account?.label ?? 'you'}`}>
          Your agents can use it from now on, within {orgName}’s rules.
        </Banner>
      )}
      <Waiting />
      <div className={c.cols}>
        <div className={c.stack}>
          <Section title="Connections">
            <OwnConnections of={connectors} access={access} />
          </Section>
          {access.length > 0 && (
            <Section
              title="What your agents may do"
              note="without you at the keyboard"
              aside={
                <Go at="mine/tools" className="gh-s">
                  Tool by tool
                </Go>
              }
            >
              <May of={access} />
            </Section>
          )}
        </div>
        <div className={c.stack}>
          <Refused />
          <SignedIn />
        </div>
      </div>
    </div>
  );
}

function Waiting() {
  const org = useOrg();
  const { items } = useAsk(listApprovals, waiting(org));
  const [first] = items;
  if (!first) return null;
  const title =
    items.length === 1
      ? `A call of ${first.tool} waits for a person`
      : `${countOf(items.length, 'call')} of yours wait for a person`;
  return (
    <Banner is="held" title={title} actions={<Go at="mine/approvals">Look at {items.length === 1 ? 'it' : 'them'}</Go>}>
      {first.connectorName ?? first.connector}: {first.tool}. It expires <When at={first.expires} />; your agent is told
      either way.
    </Banner>
  );
}

const May = ({ of }: { of: readonly ConnectorAccess[] }) => (
  <table role="table" className={`gh-table ${c.may}`}>
    <thead role="rowgroup">
      <tr role="row">
        <th role="columnheader">
          <span className="gh-vh">Connector</span>
        </th>
        {classes.map((k) => (
          <th role="columnheader" key={k}>
            {classWords[k]}
          </th>
        ))}
      </tr>
    </thead>
    <tbody role="rowgroup">
      {of.map((a) => (
        <tr role="row" key={a.connector.id}>
          <td role="cell">
            <b>{a.connector.name}</b>
          </td>
          {classes.map((k) => (
            <td role="cell" key={k} data-l={classWords[k]}>
              <Cell of={a} klass={k} />
            </td>
          ))}
        </tr>
      ))}
    </tbody>
  </table>
);

function Cell({ of, klass }: { of: ConnectorAccess; klass: MyTool['class'] }) {
  const k = of.classes.find((x) => x.class === klass);
  if (!k) return <span className="gh-3">–</span>;
  const s = classStanding(k);
  return (
    <span>
      <State is={s.is} quiet={s.is === 'ok' || s.is === 'no' || s.is === 'info'}>
        {s.word}
      </State>
      {s.note === null ? k.says !== null && <small>{sentence(k.says)}</small> : <small>{s.note}</small>}
    </span>
  );
}

const RefusedLine = ({ call }: { call: MyCall }) => {
  const { is, word } = endings[call.outcome ?? 'open'];
  return (
    <li className={tone(is)}>
      <Glyph name={is} />
      <div>
        <b>
          <span className="gh-vh">{word}: </span>
          {call.tool}
        </b>
        <p>
          {whyOf(call)}{' '}
          <span title={moment(call.at)}>
            {call.connector.name ?? 'A connector that is gone'}, {when(call.at)}.
          </span>
        </p>
      </div>
    </li>
  );
};

function Refused() {
  const org = useOrg();
  const { items } = useAsk(listCalls, refused(org));
  return (
    <Section title="Refused lately">
      {items.length === 0 ? (
        <p className="gh-s gh-2">Nothing that your agents asked for was refused.</p>
      ) : (
        <ul className={c.why}>
          {items.map((call) => (
            <RefusedLine key={call.id} call={call} />
          ))}
        </ul>
      )}
      <Go at="mine/calls" className="gh-s">
        All calls in your name
      </Go>
    </Section>
  );
}

function SignedIn() {
  const { items } = useAsk(listMySessions, sessions);
  return (
    <Section title="Signed in">
      <ul className={c.dev}>
        {items.map((s) => (
          <li key={s.id}>
            <span className="gh-grow">
              {deviceOf(s.userAgent)}
              <small>{s.current ? 'this one' : `last seen ${when(s.lastSeenAt)}`}</small>
            </span>
          </li>
        ))}
      </ul>
      <Go at="mine/sessions" className="gh-s">
        Sessions and devices
      </Go>
    </Section>
  );
}
