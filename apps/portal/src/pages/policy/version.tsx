import { Select } from '@mantine/core';
import { compareVersions, listVersions, readVersion, restoreVersion } from '@gatehouse/client/policy.ts';
import { Facts, Hash, Head, Section } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf, moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { CedarLines } from './cedar-view.tsx';
import { Effect, usePreview } from './effect.tsx';
import { makerOf, wordsOfVersion } from './version-words.ts';
import c from './policy.module.css';
import { losers, SaveDialog } from './save-dialog.tsx';
import { VersionDiff } from './version-diff.tsx';

const before = (number: string): string => String(Math.max(0, Number(number) - 1));
const latest = (org: string) => ({ org, query: { limit: 1 } });

export const loader = ({ org, params, ask, search }: LoaderContext): Promise<unknown> => {
  const number = params['number'] ?? '0';
  const other = search['against'] ?? before(number);
  return Promise.all([
    ask(readVersion, { org, number }),
    ask(listVersions, latest(org)),
    ask(compareVersions, { org, number, other }),
  ]);
};

/** One version: what was in force in it, what is different against another, and the way back to it. */
export function Page() {
  const { number = '0' } = useParams({ strict: false }) as { number?: string };
  const org = useOrg();
  const go = useGo();
  const shown = useMemo(() => ({ against: before(number) }), [number]);
  const [at, set] = useAddress(shown);
  const v = useAsk(readVersion, { org, number });
  const { items } = useAsk(listVersions, latest(org));
  const current = items[0]?.number ?? 0;
  const { differences } = useAsk(compareVersions, { org, number, other: at.against });
  const [asking, setAsking] = useState(false);
  const restore = useDo(restoreVersion);
  const preview = usePreview(asking ? { kind: 'restore', version: v.number } : undefined);
  const inForce = v.number === current;
  const others = Array.from({ length: current + 1 }, (_, i) => current - i).filter((n) => n !== v.number);

  const bringBack = async (reason: string): Promise<void> => {
    const saying = preview.seen ? { expects: preview.seen.version, previewed: preview.seen.hash } : {};
    const made = await restore.run({ org, number, body: { reason, ...saying } });
    if (made) {
      setAsking(false);
      go(`policy/history/${made.number}`);
    }
  };
  return (
    <div className="gh-page">
      <Head
        room="History"
        roomHref={`/portal/${org}/policy/history`}
        title={`Version ${v.number}`}
        actions={
          !inForce && (
            <Act can="policy.manage" variant="filled" onClick={() => setAsking(true)}>
              Bring version {v.number} back…
            </Act>
          )
        }
      >
        {v.made ? `${makerOf(v.made)}: ${wordsOfVersion(v.made)}.` : 'What there was before the first change.'}{' '}
        {inForce ? 'It is in force.' : `Version ${current} is in force.`}
      </Head>
      <div className={c.two}>
        <Section
          title="What is different"
          note={countOf(differences.length, 'difference')}
          aside={
            <Select
              aria-label="Against version"
              data={others.slice(0, 200).map((n) => ({
                value: String(n),
                label: n === current ? `against ${n}, in force` : `against version ${n}`,
              }))}
              value={at.against === number ? null : at.against}
              onChange={(to) => set({ against: to ?? before(number) })}
              w={190}
            />
          }
        >
          <VersionDiff of={differences} />
        </Section>
        <Section title="What was in force">
          <Facts
            of={[
              ...(v.made
                ? [
                    ['Made', moment(v.made.madeAt)] as const,
                    ['By', makerOf(v.made)] as const,
                    ['Reason', v.made.reason ?? 'none was given'] as const,
                  ]
                : []),
              ['Default', `${v.settings.mode}, ${v.settings.defaultAccess}, by the clock of ${v.settings.timeZone}`],
              ['After reading', v.afterReading.words],
              [
                'Hash',
                <Hash key="h" label="hash of the version">
                  {v.hash}
                </Hash>,
              ],
            ]}
          />
          <Listed title="Rules" of={v.rules.map((r) => [r.id, `${r.name}: ${r.words}`])} />
          <Listed title="Controls" of={[...v.controls, ...v.types].map((x) => [x.id, x.words])} />
          {v.cedar.map((p) => (
            <div key={p.id} className={c.cedar}>
              <header>
                <b>{p.name}</b>
              </header>
              <CedarLines text={p.cedar} label={p.name} />
            </div>
          ))}
        </Section>
      </div>
      <SaveDialog
        title={`Bring version ${v.number} back?`}
        act={
          losers(preview.seen) > 0
            ? `Bring it back, and limit ${countOf(losers(preview.seen), 'person', 'people')}`
            : `Bring it back as version ${current + 1}`
        }
        seen={preview.seen}
        opened={asking}
        onClose={() => setAsking(false)}
        busy={restore.busy}
        refusal={restore.refusal ?? preview.refusal}
        onSave={(reason) => void bringBack(reason)}
      >
        {preview.seen && <Effect seen={preview.seen} />}
      </SaveDialog>
    </div>
  );
}

const Listed = ({ title, of }: { title: string; of: readonly (readonly [string, string])[] }) => (
  <div>
    <h3>
      {title} <span className="gh-3">{of.length}</span>
    </h3>
    <ul className={c.changes}>
      {of.map(([id, words]) => (
        <li key={id}>{words}</li>
      ))}
    </ul>
    {of.length === 0 && <p className="gh-s gh-2">None.</p>}
  </div>
);
