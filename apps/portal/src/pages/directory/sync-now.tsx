import { Progress } from '@mantine/core';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { call, Refusal } from '@gatehouse/client/call.ts';
import { listPeople, sync } from '@gatehouse/client/provisioning.ts';
import { State } from '@gatehouse/ui/parts.tsx';
import { useEffect, useState } from 'react';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { count, countOf } from '../../kit/words.ts';
import { Confirm } from '../people/confirm.tsx';
import c from './directory.module.css';

type Drifting = OutputOf<typeof listPeople>['items'][number];

/** Compares everybody with what directories and groups say: first shows what differs, then makes it right. */
export function SyncNow({ onClose }: { onClose: () => void }) {
  const org = useOrg();
  const [drift, setDrift] = useState<{ people: Drifting[]; looking: boolean; refusal?: Refusal }>({
    people: [],
    looking: true,
  });
  const syncing = useDo(sync, { also: ['org', 'identity'] });
  const [done, setDone] = useState<OutputOf<typeof sync>>();
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      const people: Drifting[] = [];
      try {
        for (let cursor: string | undefined; ;) {
          const page: OutputOf<typeof listPeople> = await call(
            listPeople,
            { org, query: { drift: 'only', limit: 200, ...(cursor ? { cursor } : {}) } },
            stop.signal,
          );
          people.push(...page.items.filter((p) => p.drift.length > 0));
          cursor = page.next ?? undefined;
          setDrift({ people: [...people], looking: cursor !== undefined });
          if (cursor === undefined) return;
        }
      } catch (e) {
        if (stop.signal.aborted) return;
        if (!(e instanceof Refusal)) throw e;
        setDrift({ people, looking: false, refusal: e });
      }
    })();
    return () => stop.abort();
  }, [org]);
  const n = drift.people.length;
  if (done)
    return (
      <Confirm open title="Synced" act="Close" onAct={onClose} onClose={onClose}>
        <p className="gh-s gh-2">
          Looked at {countOf(done.looked, 'person', 'people')}; {count(done.changed)} changed
          {done.held > 0 ? `, ${countOf(done.held, 'removal is', 'removals are')} held by the brake` : ''}.
        </p>
      </Confirm>
    );
  return (
    <Confirm
      open
      title={
        drift.looking
          ? 'What would a sync change?'
          : n === 0
            ? 'Nothing differs'
            : `Sync ${countOf(n, 'person', 'people')}?`
      }
      act={n === 0 ? 'Sync anyway' : `Sync ${countOf(n, 'person', 'people')}`}
      busy={syncing.busy}
      refusal={syncing.refusal}
      wait={drift.looking ? 'Looking at everybody first.' : undefined}
      onClose={onClose}
      onAct={() => void syncing.run({ org }).then((d) => d && setDone(d))}
    >
      <Problem of={drift.refusal} />
      {drift.looking && (
        <Progress value={100} animated color="info" aria-label="Comparing everybody with the directory" />
      )}
      <p className="gh-s gh-2" role="status">
        {n === 0
          ? drift.looking
            ? 'Comparing everybody with what directories and groups say.'
            : 'Everybody is as directories and groups say.'
          : `${countOf(n, 'person differs', 'people differ')} from what directories and groups say. Many removals at once are held by the brake.`}
      </p>
      {n > 0 && (
        <ul className={c.scrolled} tabIndex={0} aria-label="People who differ">
          {drift.people.slice(0, 200).map((p) => (
            <li key={p.user}>
              <State is={p.drift.some((d) => d.includes('remove') || d.includes('suspend')) ? 'minus' : 'swap'}>
                {p.displayName || p.email}
              </State>{' '}
              <span className="gh-3">{p.reasons.join('; ')}</span>
            </li>
          ))}
        </ul>
      )}
      {n > 200 && <p className="gh-xs gh-3">and {count(n - 200)} more</p>}
    </Confirm>
  );
}
