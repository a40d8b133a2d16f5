import { Button, TextInput } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { get, getOfConnector, set, setOfConnector } from '@gatehouse/client/limits.ts';
import type { Refusal } from '@gatehouse/client/call.ts';
import { Fragment, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { count } from '../../kit/words.ts';
import c from './connectors.module.css';

type Shown = OutputOf<typeof get>;
type Limits = Shown['set'];
type Name = keyof Limits;
const whats = [
  ['person', 'A person'],
  ['connector', 'A connector'],
  ['tool', 'A tool'],
] as const;
const measures = [
  ['AtOnce', 'under way at once'],
  ['PerMinute', 'begun in a minute'],
] as const;
const nameOf = (what: (typeof whats)[number][0], m: (typeof measures)[number][0]): Name => `${what}${m}`;

export function LimitsPanel({ con }: { con: string }) {
  const org = useOrg();
  const at = { org, con };
  const shown = useAsk(getOfConnector, at);
  const save = useDo(setOfConnector);
  return (
    <LimitForm
      key={JSON.stringify(shown.set)}
      of={shown}
      here
      busy={save.busy}
      refusal={save.refusal}
      onSave={(body) => void save.run({ ...at, body })}
    />
  );
}

export function OrgLimits() {
  const org = useOrg();
  const shown = useAsk(get, { org });
  const save = useDo(set);
  return (
    <LimitForm
      key={JSON.stringify(shown.set)}
      of={shown}
      here={false}
      busy={save.busy}
      refusal={save.refusal}
      onSave={(body) => void save.run({ org, body })}
    />
  );
}

const text = (v: number | null | undefined): string => (v === undefined ? '' : v === null ? 'none' : String(v));
const valid = (t: string): boolean => t === '' || t === 'none' || (/^[1-9]\d{0,6}$/.test(t) && Number(t) <= 1_000_000);

/** How many calls there may be, at each node. An empty field leaves what else holds. */
function LimitForm({
  of,
  here,
  busy,
  refusal,
  onSave,
}: {
  of: Shown;
  here: boolean;
  busy: boolean;
  refusal: Refusal | undefined;
  onSave: (limits: Limits) => void;
}) {
  const names = whats.flatMap(([w]) => measures.map(([m]) => nameOf(w, m)));
  const was = Object.fromEntries(names.map((n) => [n, text(of.set[n])]));
  const [typed, setTyped] = useState<Record<string, string>>(was);
  const wrong = names.filter((n) => !valid(typed[n]?.trim().toLowerCase() ?? ''));
  const changed = names.some((n) => (typed[n] ?? '').trim() !== was[n]);
  const inForce = (w: (typeof whats)[number][0], m: (typeof measures)[number][0]): number | null => {
    const l = w === 'person' && here ? of.inForce.personHere : of.inForce[w];
    return m === 'AtOnce' ? l.atOnce : l.perMinute;
  };
  const save = (): void => {
    const limits: Limits = {};
    for (const n of names) {
      const t = (typed[n] ?? '').trim().toLowerCase();
      if (t !== '') limits[n] = t === 'none' ? null : Number(t);
    }
    onSave(limits);
  };
  return (
    <div className={c.stack}>
      <p className="gh-s gh-2">
        At each node. Empty:{' '}
        {here
          ? 'as for the whole organization; a person’s limit here comes on top of the one everywhere'
          : 'as it is by default'}
        . “none”: no limit. A call that is one too many is refused before anything of it is looked at, and says when to
        come again.
      </p>
      <div className={c.limits}>
        <span>Calls of</span>
        {measures.map(([m, says]) => (
          <span key={m}>{says}</span>
        ))}
        {whats.map(([w, name]) => (
          <Fragment key={w}>
            <b>{here && w === 'person' ? 'A person, here' : here && w === 'connector' ? 'This connector' : name}</b>
            {measures.map(([m, says]) => {
              const n = nameOf(w, m);
              const f = inForce(w, m);
              return (
                <TextInput
                  key={m}
                  size="sm"
                  aria-label={`${name}: ${says}`}
                  inputMode="numeric"
                  placeholder={f === null ? 'none' : count(f)}
                  value={typed[n] ?? ''}
                  error={wrong.includes(n) ? '1 to 1,000,000, or none' : undefined}
                  onChange={(e) => setTyped({ ...typed, [n]: e.currentTarget.value })}
                />
              );
            })}
          </Fragment>
        ))}
      </div>
      <Problem of={refusal} />
      <div className="gh-actions">
        <Act
          can="connector.manage"
          variant="filled"
          disabled={!changed || wrong.length > 0}
          loading={busy}
          onClick={save}
        >
          Save the limits
        </Act>
        {changed && <Button onClick={() => setTyped(was)}>Undo</Button>}
      </div>
    </div>
  );
}
