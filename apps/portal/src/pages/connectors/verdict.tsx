import { Button, Checkbox, Modal, Select } from '@mantine/core';
import { reviewInstructions, reviewTools } from '@gatehouse/client/connectors.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useGo } from '../../kit/use-go.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { Seen } from '../../kit/seen.tsx';
import { countOf } from '../../kit/words.ts';
import c from './connectors.module.css';
import type { Sheet } from './definition-diff.tsx';
import s from './sheet.module.css';
import { classSays, type ToolClass } from './words.ts';

type Kind = Sheet['suggested'][number]['kind'];
const kinds: Record<Kind, string> = {
  path: 'a path',
  repository: 'a repository',
  folder: 'a folder',
  channel: 'a channel',
  recipient: 'a recipient',
  amount: 'an amount',
  url: 'an address',
  text: 'text',
};
const choices = [
  { value: '', label: 'not to rules' },
  ...Object.entries(kinds).map(([value, label]) => ({ value, label })),
];
const kindOf = (text: string | null): Kind | undefined => Object.keys(kinds).find((k): k is Kind => k === text);

/** The decision about one definition: what it does, what rules and approvers see of its arguments, and yes or no. */
export function Verdict({ of, con, findings }: { of: Sheet; con: string; findings: number }) {
  return of.kind === 'instructions' ? (
    <OfInstructions of={of} con={con} findings={findings} />
  ) : (
    <OfTool of={of} con={con} findings={findings} />
  );
}

const Closed = ({ name }: { name: string }) => (
  <p className="gh-xs gh-3">Closed, the old pin stays: if {name} goes back to what was reviewed, it opens by itself.</p>
);

function OfTool({ of, con, findings }: { of: Sheet; con: string; findings: number }) {
  const org = useOrg();
  const go = useGo();
  const [as, setAs] = useState<ToolClass | undefined>(of.class ?? undefined);
  const first = of.projection.length > 0 ? of.projection : of.suggested;
  const [places, setPlaces] = useState<Record<string, Kind>>(() =>
    Object.fromEntries(first.map((p) => [p.at, p.kind])),
  );
  const [untrusted, setUntrusted] = useState(of.flow?.brings.includes('untrusted') ?? true);
  const [priv, setPrivate] = useState(of.flow?.brings.includes('private') ?? true);
  const [outward, setOutward] = useState(of.flow?.outward ?? false);
  const [sure, setSure] = useState(false);
  const review = useDo(reviewTools, { also: ['policy', 'mine'], done: () => go('connectors/tools') });
  const name = of.name ?? '';
  const tool = { name, pin: of.pin };
  const accept = (): void => {
    if (!as) return;
    const projection = Object.entries(places).map(([at, kind]) => ({ at, kind }));
    const brings = [...(untrusted ? (['untrusted'] as const) : []), ...(priv ? (['private'] as const) : [])];
    const body = { tools: [{ ...tool, class: as, projection, brings, outward: outward || as === 'destructive' }] };
    void review.run({ org, con, body });
  };
  const where = of.places.filter((p) => p.at !== '');
  return (
    <>
      <Section title="Class" note={of.class ? `was ${of.class}` : 'nobody has said yet'}>
        <div className={s.classes} role="radiogroup" aria-label="Class">
          {classSays.map(([k, says]) => (
            <label key={k}>
              <input type="radio" name="class" checked={as === k} onChange={() => setAs(k)} />
              <b>{k}</b>
              <span>{says}</span>
            </label>
          ))}
        </div>
      </Section>
      {where.length > 0 && (
        <Section title="What rules and approvers see" note="of its arguments">
          <div className={s.places}>
            {where.map((p) => (
              <div key={p.at}>
                <span className="gh-id">
                  <Seen>{p.at}</Seen>
                </span>
                <Select
                  size="sm"
                  aria-label={`${p.at} is shown as`}
                  data={choices}
                  value={places[p.at] ?? ''}
                  onChange={(to) => {
                    const { [p.at]: _, ...rest } = places;
                    const kind = kindOf(to);
                    setPlaces(kind ? { ...rest, [p.at]: kind } : rest);
                  }}
                />
              </div>
            ))}
          </div>
        </Section>
      )}
      <Section title="What it brings and carries">
        <div className={c.stack}>
          <Checkbox
            label="Its answers have text of strangers"
            checked={untrusted}
            onChange={(e) => setUntrusted(e.currentTarget.checked)}
          />
          <Checkbox
            label="Its answers have private content"
            checked={priv}
            onChange={(e) => setPrivate(e.currentTarget.checked)}
          />
          <Checkbox
            label="It can carry content out of the organization"
            checked={outward || as === 'destructive'}
            disabled={as === 'destructive'}
            onChange={(e) => setOutward(e.currentTarget.checked)}
          />
        </div>
      </Section>
      <section className="gh-section" aria-label="Decision">
        <Problem of={review.refusal} />
        <div className="gh-actions">
          <Act
            can="tool.review"
            variant={findings > 0 ? 'filled' : 'default'}
            disabled={review.busy}
            onClick={() => void review.run({ org, con, body: { tools: [{ ...tool, keepClosed: true }] } })}
          >
            Keep it closed
          </Act>
          <Act
            can="tool.review"
            variant={findings > 0 ? 'default' : 'filled'}
            disabled={!as || review.busy}
            onClick={() => (findings > 0 ? setSure(true) : accept())}
          >
            {as ? `Accept as ${as}${findings > 0 ? '…' : ''}` : 'Accept'}
          </Act>
        </div>
        {!as && <p className="gh-xs gh-2">To accept it, say what it does: choose a class.</p>}
        <Closed name={of.connector.name} />
      </section>
      <Modal opened={sure} onClose={() => setSure(false)} title={`Accept ${name} as ${as ?? ''}?`} size={480}>
        <div className={c.stack}>
          <State is="caution">{countOf(findings, 'finding')} in what it offers now</State>
          <p className="gh-s gh-2">
            Whoever a rule allows can call it at once, as it is offered now. Your name stands in the log beside the new
            pin.
          </p>
          <Problem of={review.refusal} />
          <div className={`gh-actions ${c.end}`}>
            <Button onClick={() => setSure(false)}>Back</Button>
            <Button variant="filled" color="negative" loading={review.busy} onClick={accept}>
              Accept with {countOf(findings, 'finding')}
            </Button>
          </div>
        </div>
      </Modal>
    </>
  );
}

function OfInstructions({ of, con, findings }: { of: Sheet; con: string; findings: number }) {
  const org = useOrg();
  const go = useGo();
  const review = useDo(reviewInstructions, { done: () => go('connectors/tools') });
  const say = (verdict: 'accepted' | 'closed'): void => void review.run({ org, con, body: { pin: of.pin, verdict } });
  return (
    <section className="gh-section" aria-label="Decision">
      <p className="gh-s gh-2">
        Agents read this text and tend to obey it. Until somebody accepts it, they do not see it; tools work without it.
      </p>
      <Problem of={review.refusal} />
      <div className="gh-actions">
        <Act
          can="tool.review"
          variant={findings > 0 ? 'filled' : 'default'}
          disabled={review.busy}
          onClick={() => say('closed')}
        >
          Keep it from agents
        </Act>
        <Act can="tool.review" disabled={review.busy} onClick={() => say('accepted')}>
          Let agents read it
        </Act>
      </div>
      <Closed name={of.connector.name} />
    </section>
  );
}
