import { Button, Select, Textarea, TextInput } from '@mantine/core';
import { list as listConnectors, listTools } from '@gatehouse/client/connectors.ts';
import type { InputOf, OutputOf } from '@gatehouse/client/call.ts';
import { explainCall } from '@gatehouse/client/policy.ts';
import { Facts, Head, Section } from '@gatehouse/ui/parts.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { question, useDo } from '../../kit/ask.ts';
import { ChoosePerson, connectorsOf, useConnectors, type Chosen } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { surfaceNames } from './draft.ts';
import { OutcomeState, RulesBehind } from './outcome.tsx';
import c from './policy.module.css';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listConnectors, connectorsOf(org));

type Body = InputOf<typeof explainCall>['body'];
type Answer = OutputOf<typeof explainCall>;
type Recorded = Extract<Answer, { call: unknown }>;
type Explained = Exclude<Answer, { call: unknown }>;
const isSurface = (text: string | null): text is keyof typeof surfaceNames =>
  text !== null && Object.hasOwn(surfaceNames, text);
const shown = { call: '' };

/** Why a call was decided so, or how one would be: the answer of the engine that decides, with its rules. */
export function Page() {
  const org = useOrg();
  const [at, set] = useAddress(shown);
  const [call, setCall] = useState(at.call);
  const recorded = useDo(explainCall);
  const asked = useDo(explainCall);
  const [answer, setAnswer] = useState<Answer>();
  const run = async (doing: typeof asked, body: Body): Promise<void> => {
    (doing === asked ? recorded : asked).forget();
    setAnswer(await doing.run({ org, body }));
  };
  return (
    <div className="gh-page">
      <Head room="Policy" roomHref={`/portal/${org}/policy/rules`} title="Explain">
        Why a call ended as it did, or how one would end now. The engine that decides calls answers, so it cannot tell
        another story.
      </Head>
      <div className={c.two}>
        <Section title="A call that was made" note="its id stands in the log and in every refusal">
          <form
            className={c.form}
            onSubmit={(e) => {
              e.preventDefault();
              set({ call: call.trim() });
              void run(recorded, { call: call.trim() });
            }}
          >
            <TextInput label="Call" placeholder="tcl_…" value={call} onChange={(e) => setCall(e.currentTarget.value)} />
            <Problem of={recorded.refusal} />
            <div className="gh-actions">
              <Button type="submit" loading={recorded.busy} disabled={call.trim() === ''}>
                Explain this call
              </Button>
            </div>
          </form>
        </Section>
        <Section title="A call that might be made">
          <Might busy={asked.busy} onAsk={(body) => void run(asked, body)} />
          <Problem of={asked.refusal} />
        </Section>
      </div>
      <div role="status">{answer && ('call' in answer ? <WasDecided of={answer} /> : <WouldBe of={answer} />)}</div>
    </div>
  );
}

function Might({ busy, onAsk }: { busy: boolean; onAsk(body: Body): void }) {
  const org = useOrg();
  const connectors = useConnectors();
  const [who, setWho] = useState<Chosen>();
  const [connector, setConnector] = useState<string | null>(connectors.items[0]?.id ?? null);
  const [tool, setTool] = useState<string | null>(null);
  const [surface, setSurface] = useState<keyof typeof surfaceNames>('mcp');
  const [args, setArgs] = useState('');
  const [wrong, setWrong] = useState<string>();
  const { data } = useQuery({
    ...question(listTools, { org, con: connector ?? '', query: { limit: 200 } }),
    enabled: connector !== null,
  });
  const ask = (): void => {
    if (!who || connector === null || tool === null) return;
    let parsed: unknown = {};
    try {
      parsed = args.trim() === '' ? {} : JSON.parse(args);
    } catch {
      setWrong('This is no JSON.');
      return;
    }
    if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
      setWrong('Arguments are an object: {"path": "/Reports/2026"}');
      return;
    }
    setWrong(undefined);
    onAsk({ user: who.id, connector, tool, surface, arguments: { ...parsed } });
  };
  return (
    <form
      className={c.form}
      onSubmit={(e) => {
        e.preventDefault();
        ask();
      }}
    >
      <ChoosePerson label="Person" value={who} onChange={setWho} />
      <div className={c.row}>
        <Select
          label="Connector"
          searchable
          data={connectors.items.map((i) => ({ value: i.id, label: i.name }))}
          value={connector}
          onChange={(to) => {
            setConnector(to);
            setTool(null);
          }}
        />
        <Select label="Tool" searchable data={(data?.items ?? []).map((t) => t.name)} value={tool} onChange={setTool} />
      </div>
      <Select
        label="From"
        data={Object.entries(surfaceNames).map(([value, label]) => ({ value, label }))}
        value={surface}
        onChange={(to) => isSurface(to) && setSurface(to)}
      />
      <Textarea
        label="Arguments, in JSON (may be left out)"
        rows={3}
        value={args}
        error={wrong}
        onChange={(e) => setArgs(e.currentTarget.value)}
      />
      <div className="gh-actions">
        <Button type="submit" loading={busy} disabled={!who || connector === null || tool === null}>
          Explain it
        </Button>
      </div>
    </form>
  );
}

const Combination = ({ of }: { of: Readonly<Record<string, unknown>> }) => {
  const entries = Object.entries(of);
  return entries.length === 0 ? (
    <span className="gh-3">nothing</span>
  ) : (
    <span className="gh-mono">{entries.map(([k, v]) => `${k}: ${String(v)}`).join(', ')}</span>
  );
};

const WouldBe = ({ of: e }: { of: Explained }) => (
  <Section title="It would be decided so">
    <OutcomeState of={e.outcome} />
    <p className={c.big}>{sentence(e.says)}</p>
    <RulesBehind rules={e.rules} close={e.close} />
    <Facts
      of={[
        ['Class', e.class],
        ['Groups', e.groups.map((g) => g.name).join(', ') || 'none'],
        ['Rules see', <Combination key="a" of={e.args} />],
        ['Decided by', e.engine === 'compiled' ? 'our compiler' : 'the reference engine'],
      ]}
    />
  </Section>
);

const WasDecided = ({ of: r }: { of: Recorded }) => (
  <div className={c.two}>
    <Section title="Then" note={moment(r.call.at)}>
      {r.decided ? (
        <>
          <OutcomeState of={r.decided.outcome} />
          <RulesBehind rules={r.decided.policies} close={[]} />
        </>
      ) : (
        <p className="gh-s gh-2">{r.missing ?? 'It is not kept.'}</p>
      )}
      <Facts
        of={[
          [
            'Tool',
            <span key="t" className="gh-mono">
              {r.call.tool}
            </span>,
          ],
          ['Ended as', `${r.call.outcome ?? 'still open'}${r.call.why === null ? '' : `, ${r.call.why}`}`],
          ...(r.facts
            ? ([
                ['Class', r.facts.class],
                ['Groups', r.facts.groups.map((g) => g.name).join(', ') || 'none'],
                ['Rules saw', <Combination key="a" of={r.facts.args[0] ?? {}} />],
              ] as const)
            : []),
        ]}
      />
    </Section>
    <Section title="Now" note="the policies of today, asked the same">
      {r.now ? (
        <>
          <OutcomeState of={r.now.outcome} />
          <p>{sentence(r.now.says)}</p>
          <RulesBehind rules={r.now.rules} close={r.now.close} />
        </>
      ) : (
        <p className="gh-s gh-2">{r.missing ?? 'It cannot be asked again.'}</p>
      )}
    </Section>
  </div>
);
