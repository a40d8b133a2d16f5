import { Button } from '@mantine/core';
import { getReview, listHistory, listWaiting } from '@gatehouse/client/connectors.ts';
import { Glyph, tone } from '@gatehouse/ui/glyphs.tsx';
import { Hash, Head, Section, State } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useAsk } from '../../kit/ask.ts';
import { useGo } from '../../kit/use-go.ts';
import { useOrg } from '../../kit/org.tsx';
import { Seen } from '../../kit/seen.tsx';
import { At } from '../../kit/time.tsx';
import { since } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './connectors.module.css';
import { DefinitionDiff, No, type Numbered, type Sheet } from './definition-diff.tsx';
import s from './sheet.module.css';
import { Verdict } from './verdict.tsx';
import { INSTRUCTIONS, sheetAddress, toolState } from './words.ts';

const about = (org: string, con: string, tool: string) => ({
  org,
  con,
  query: tool === INSTRUCTIONS ? {} : { tool },
});
const waiting = (org: string) => ({ org, query: { limit: 100 } });

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(getReview, about(org, params['con'] ?? '', params['tool'] ?? '')),
    ask(listWaiting, waiting(org)),
    ask(listHistory, about(org, params['con'] ?? '', params['tool'] ?? '')),
  ]);

const order = { high: 0, medium: 1, low: 2 };
const numbered = (sheet: Sheet): Numbered[] =>
  sheet.findings.toSorted((a, b) => order[a.severity] - order[b.severity]).map((f, i) => ({ ...f, no: i + 1 }));

/** One definition as it is offered now beside the one that was reviewed, what was found in it, and the decision. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const { con = '', tool = '' } = useParams({ strict: false }) as { con?: string; tool?: string };
  const sheet = useAsk(getReview, about(org, con, tool));
  const { items } = useAsk(listWaiting, waiting(org));
  const at = items.findIndex((w) => w.connector.id === con && (w.name ?? INSTRUCTIONS) === tool);
  const findings = numbered(sheet);
  const step = (to: number): (() => void) | undefined => {
    const next = items[to];
    return next && at >= 0 ? () => go(sheetAddress(next.connector.id, next.name)) : undefined;
  };
  return (
    <div className="gh-page">
      <Head
        room="Connectors"
        roomHref={`/portal/${org}/connectors/tools`}
        title={
          <>
            <Seen>{sheet.name ?? 'What it tells agents'}</Seen>
            {at >= 0 && (
              <span className="gh-2">
                {' '}
                {at + 1} of {items.length}
              </span>
            )}
          </>
        }
        actions={
          at >= 0 && (
            <>
              <Button disabled={!step(at - 1)} onClick={step(at - 1)}>
                Previous
              </Button>
              <Button disabled={!step(at + 1)} onClick={step(at + 1)}>
                Next
              </Button>
            </>
          )
        }
      >
        {lead(sheet)}
      </Head>
      <div className={c.cols}>
        <div className={c.stack}>
          <DefinitionDiff of={sheet} findings={findings} />
          <History org={org} con={con} tool={tool} pin={sheet.pin} />
        </div>
        <div className={c.side}>
          <Findings of={findings} />
          <Verdict key={sheet.pin} of={sheet} con={con} findings={findings.length} />
        </div>
      </div>
    </div>
  );
}

function lead(sheet: Sheet): string {
  const what = sheet.kind === 'instructions' ? 'text for agents' : (sheet.name ?? '');
  if (sheet.closed)
    return `${sheet.connector.name} offers this ${what}, and somebody keeps it closed. Nobody can call it.`;
  switch (sheet.state) {
    case 'quarantined':
      return `${sheet.connector.name} offers ${what} ${since(sheet.since)}. Nobody has reviewed it, and nobody can call it until you decide.`;
    case 'changed':
      return `${sheet.connector.name} offers a different ${what} ${since(sheet.since)}. Nobody can call it until you decide.`;
    case 'reviewed':
      return `${sheet.connector.name} offers ${what} as it was reviewed. It can be called by whoever a rule allows.`;
    case 'removed':
      return `${sheet.connector.name} no longer offers ${what}. Its review stays for the day when it comes back as it was.`;
  }
}

const Findings = ({ of }: { of: readonly Numbered[] }) => (
  <Section title="What we found" note={String(of.length)}>
    {of.length === 0 ? (
      <p className="gh-s gh-2">Nothing that our scanners know. They advise; the decision is yours.</p>
    ) : (
      <ol className={s.finds}>
        {of.map((f) => (
          <li key={f.no}>
            <No n={f.no} />
            <b>
              {f.says}
              {f.count > 1 && `, ${f.count} times`}
            </b>
            <p>
              {f.why}{' '}
              <span className="gh-id gh-3">
                <Seen done>{f.at}</Seen>
              </span>
              {f.fresh && <span className="gh-xs gh-3"> not in what was reviewed</span>}
            </p>
          </li>
        ))}
      </ol>
    )}
  </Section>
);

const happened = {
  first_seen: 'first seen',
  changed: 'changed',
  removed: 'no longer offered',
  came_back: 'came back as it was reviewed',
} as const;

function History({ org, con, tool, pin }: { org: string; con: string; tool: string; pin: string }) {
  const { items } = useAsk(listHistory, about(org, con, tool));
  const sheet = useAsk(getReview, about(org, con, tool));
  const now = toolState(sheet);
  return (
    <Section title="What happened to it" note="newest first" aside={<State is={now.is}>{now.word}</State>}>
      <ul className={c.lines}>
        {items.map((h) => (
          <li key={`${h.at}-${h.what}`} className={tone(h.what === 'changed' ? 'swap' : 'none')}>
            <Glyph name={h.what === 'changed' ? 'swap' : h.what === 'removed' ? 'minus' : 'plus'} />
            <span>
              {happened[h.what]}, <At at={h.at} /> <span className="gh-3">pin </span>
              <Hash label="pin">{h.pin}</Hash>
              {h.pin === pin && <span className="gh-3"> as it is now</span>}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
