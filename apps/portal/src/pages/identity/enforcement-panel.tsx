import { Button, SegmentedControl, Select } from '@mantine/core';
import { addressOf } from '@gatehouse/client/call.ts';
import { exportSimulation, readEnforcement } from '@gatehouse/client/identity.ts';
import { Glyph, tone } from '@gatehouse/ui/glyphs.tsx';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { sentence } from '../../kit/problem.tsx';
import { count } from '../../kit/words.ts';
import { EnforceActs } from './enforce-acts.tsx';
import { simulation, verdicts, verdictWord, type Simulation } from './enforcement-words.ts';
import c from './sso.module.css';

const inPanel = { stage: 'full', percent: 10, show: 'risk' };
const PEOPLE = 100;
export const percents = [1, 5, 10, 25, 50, 75, 100];

/** How the panel asks: enforcing for everybody, or for a part. */
export const wantedOf = (at: { stage: string; percent: number }) =>
  at.stage === 'staged' ? { state: 'staged' as const, percent: at.percent } : { state: 'full' as const, percent: 0 };

/** Who could sign in and who could not if single sign-on were enforced, what must be in order first, and the way there. */
export function EnforcementPanel() {
  const org = useOrg();
  const [at, set] = useAddress(inPanel);
  const wanted = wantedOf(at);
  const now = useAsk(readEnforcement, { org });
  const sim = useAsk(simulation, { org, query: { ...wanted, limit: PEOPLE } });
  return (
    <div className={c.stack}>
      <section className="gh-section" style={{ borderTop: 0, paddingTop: 0 }} aria-labelledby="sim">
        <div className="gh-section-head">
          <h2 id="sim">If single sign-on were enforced now</h2>
        </div>
        <div className="gh-line gh-wrap">
          <SegmentedControl
            aria-label="For whom"
            value={at.stage === 'staged' ? 'staged' : 'full'}
            onChange={(stage) => set({ stage })}
            data={[
              { value: 'staged', label: 'For a part' },
              { value: 'full', label: 'For everybody' },
            ]}
          />
          {at.stage === 'staged' && (
            <Select
              aria-label="How many of a hundred people"
              w={140}
              allowDeselect={false}
              value={String(at.percent)}
              data={percents.map((p) => ({ value: String(p), label: `${p} of 100` }))}
              onChange={(p) => set({ percent: Number(p) })}
            />
          )}
        </div>
        <Picture sim={sim} />
      </section>
      <Section title="Before enforcing">
        <ul className={c.gates}>
          {sim.conditions.map((k) => (
            <li key={k.code} className={tone(k.met ? 'ok' : 'broken')}>
              <Glyph name={k.met ? 'ok' : 'broken'} />
              <span>
                {sentence(k.says)}
                <span className="gh-vh">{k.met ? ' In order.' : ' Not in order.'}</span>
              </span>
              {!k.met && <small>{sentence(k.fix)}</small>}
            </li>
          ))}
        </ul>
        <EnforceActs now={now} sim={sim} wanted={wanted} />
      </Section>
      <People sim={sim} show={at.show} onShow={(show) => set({ show })} wanted={wanted} />
    </div>
  );
}

function Picture({ sim }: { sim: Simulation }) {
  const n = (v: (typeof verdicts)[number]): number => sim.counts[v] ?? 0;
  const all = verdicts.reduce((sum, v) => sum + n(v), 0);
  return (
    <>
      <div
        className={c.split}
        role="img"
        aria-label={`${verdicts.map((v) => `${n(v)} ${verdictWord[v].short}`).join(', ')}, of ${all}`}
      >
        {verdicts
          .filter((v) => n(v) > 0)
          .map((v) => (
            <i key={v} className={c[v]} style={{ flex: n(v) }} />
          ))}
      </div>
      <div className={c.legend}>
        {verdicts.map((v) => [
          <i key={`${v}-i`} className={c[v]} />,
          <b key={`${v}-b`}>{count(n(v))}</b>,
          <span key={`${v}-s`}>{verdictWord[v].says}</span>,
        ])}
      </div>
    </>
  );
}

function People({
  sim,
  show,
  onShow,
  wanted,
}: {
  sim: Simulation;
  show: string;
  onShow: (show: string) => void;
  wanted: ReturnType<typeof wantedOf>;
}) {
  const org = useOrg();
  const unsafe = (sim.counts['at_risk'] ?? 0) + (sim.counts['locked_out'] ?? 0);
  const all = verdicts.reduce((sum, v) => sum + (sim.counts[v] ?? 0), 0);
  const people = sim.items.filter((p) => show === 'all' || p.verdict === 'at_risk' || p.verdict === 'locked_out');
  const [more, setMore] = useState(12);
  const left = (show === 'all' ? all : unsafe) - Math.min(more, people.length);
  return (
    <Section
      title="People"
      aside={
        <SegmentedControl
          aria-label="Show"
          value={show}
          onChange={onShow}
          data={[
            { value: 'risk', label: `Not safe ${count(unsafe)}` },
            { value: 'all', label: `All ${count(all)}` },
          ]}
        />
      }
    >
      {people.length === 0 && <p className="gh-s gh-2">Nobody would be at risk or locked out.</p>}
      <ul className={c.folk}>
        {people.slice(0, more).map((p) => (
          <li key={p.user} className={tone(verdictWord[p.verdict].is)}>
            <Glyph name={verdictWord[p.verdict].is} />
            <span>
              <b>{p.displayName || p.email}</b> {p.code && <span className="gh-id gh-3">{p.code}</span>}
            </span>
            <p>
              {sentence(p.says)} {p.repair && sentence(p.repair)}
            </p>
          </li>
        ))}
      </ul>
      <div className="gh-line gh-wrap">
        {people.length > more && (
          <Button size="sm" onClick={() => setMore(more + 50)}>
            Show more
          </Button>
        )}
        <span className="gh-s gh-3">
          {left > 0 ? `and ${count(left)} more · ` : ''}
          <a href={addressOf(exportSimulation, { org, query: wanted })} download>
            CSV
          </a>
        </span>
      </div>
    </Section>
  );
}
