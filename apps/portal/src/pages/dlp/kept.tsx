import { Button, Modal, Textarea } from '@mantine/core';
import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { call, Refusal } from '@gatehouse/client/call.ts';
import { decideQuarantine, getQuarantine, listBaseline, readQuarantine } from '@gatehouse/client/dlp.ts';
import { Facts, Hash, Head, Section } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { connectorsOf, useConnectors } from '../../kit/choose.tsx';
import { useHere, useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { When } from '../../kit/time.tsx';
import { bytes, countOf, moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './dlp.module.css';
import { Found } from './found.tsx';
import { KeptState } from './kept-state.tsx';
import { classesOf, phaseNames, useClasses } from './words.tsx';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnectors, connectorsOf(org)),
    ask(listBaseline, classesOf(org)),
    ask(getQuarantine, { org, quarantine: params['quarantine'] ?? '' }),
  ]);

/** One kept content: what was found, the content for a reviewer who opens it, and the decision with its reason. */
export function Page() {
  const { quarantine = '' } = useParams({ strict: false }) as { quarantine?: string };
  const org = useOrg();
  const { me } = useHere();
  const k = useAsk(getQuarantine, { org, quarantine });
  const classes = useClasses();
  const connectors = useConnectors();
  const [content, setContent] = useState<string>();
  const [reading, setReading] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  const [wish, setWish] = useState<'release' | 'discard'>();
  const [reason, setReason] = useState('');
  const decide = useDo(decideQuarantine);
  const waits = k.state === 'waiting';
  const agreed = k.decisions.filter((d) => d.decision === 'release').length;
  const own = k.asker.user === me.user;
  const who = k.asker.name ?? k.asker.user ?? k.asker.client;

  const open = async (): Promise<void> => {
    setReading(true);
    setRefusal(undefined);
    try {
      setContent((await call(readQuarantine, { org, quarantine })).content);
    } catch (e) {
      if (!(e instanceof Refusal)) throw e;
      setRefusal(e);
    } finally {
      setReading(false);
    }
  };
  const settle = async (): Promise<void> => {
    if (!wish) return;
    const body = { decision: wish, ...(reason.trim() === '' ? {} : { reason: reason.trim() }) };
    if (await decide.run({ org, quarantine, body })) {
      setWish(undefined);
      setReason('');
    }
  };
  return (
    <div className="gh-page">
      <Head
        room="Quarantine"
        roomHref={`/portal/${org}/dlp/quarantine`}
        title={[...new Set(k.findings.map((f) => classes.nameOf(f.detector)))].join(', ')}
      >
        Kept from {who} <When at={k.keptAt} />.{' '}
        {waits && k.needs === 2
          ? `Two different people must release it; ${agreed === 0 ? 'nobody has yet' : 'one has'}.`
          : ''}
      </Head>
      <div className={c.cols}>
        <div className={c.dialog}>
          <Section title="What was found">
            <Found of={k.findings} nameOf={classes.nameOf} />
          </Section>
          <Section title="The content" note={content === undefined ? 'opening it leaves an event' : bytes(k.bytes)}>
            {content === undefined ? (
              <>
                <p className="gh-s gh-2">
                  {waits || k.state === 'released'
                    ? 'It is sealed. Open it only if what was found does not say enough.'
                    : 'The copy is erased.'}
                </p>
                {(waits || k.state === 'released') && (
                  <div className="gh-actions">
                    <Act can="dlp.review" loading={reading} onClick={() => void open()}>
                      Open the content
                    </Act>
                  </div>
                )}
                <Problem of={refusal} />
              </>
            ) : (
              <div className="gh-well">
                <pre className={c.content} tabIndex={0} role="region" aria-label="The content">
                  {content}
                </pre>
              </div>
            )}
          </Section>
        </div>
        <aside className={`gh-box ${c.panel}`} aria-label="Decision">
          <section>
            <KeptState of={k} />
            <Facts
              of={[
                ['Kept', moment(k.keptAt)],
                [waits ? 'Until' : 'Ended', moment(k.expiresAt)],
                ['Way', phaseNames[k.phase]],
                ...(k.tool === null ? [] : [['Tool', k.tool] as const]),
                ...(k.connector === null ? [] : [['Connector', connectors.nameOf(k.connector)] as const]),
                ['From', `${who}, ${k.asker.client}`],
                [
                  'Call',
                  <Hash key="c" label="call" head={40}>
                    {k.call}
                  </Hash>,
                ],
              ]}
            />
          </section>
          {k.decisions.length > 0 && (
            <section>
              <h2>Decided so far</h2>
              <ul className={c.found}>
                {k.decisions.map((d) => (
                  <li key={d.by}>
                    <span>
                      <b>{d.name ?? d.by}</b> {d.decision === 'release' ? 'released it' : 'discarded it'}
                      {d.reason !== null && <span className="gh-3">: {d.reason}</span>}
                    </span>
                    <When at={d.at} />
                  </li>
                ))}
              </ul>
            </section>
          )}
          {waits && (
            <section>
              {own && <p className="gh-s gh-2">It was kept from yourself; another person reviews it.</p>}
              <div className="gh-actions">
                <Act can="dlp.review" disabled={own} onClick={() => setWish('discard')}>
                  Discard it…
                </Act>
                <Act can="dlp.review" variant="filled" disabled={own} onClick={() => setWish('release')}>
                  Release it…
                </Act>
              </div>
            </section>
          )}
        </aside>
      </div>
      <Modal
        opened={wish !== undefined}
        onClose={() => setWish(undefined)}
        title={wish === 'discard' ? 'Discard it?' : 'Release it?'}
        size={480}
      >
        <div className={c.dialog}>
          <p className="gh-s gh-2">
            {wish === 'discard'
              ? `The copy is erased at once. ${who} does not get it; the same request made again is kept again.`
              : k.needs - agreed > 1
                ? 'Another person has to release it, too; then it is delivered.'
                : `${who} gets ${countOf(
                    k.findings.reduce((n, f) => n + f.count, 0),
                    'match',
                    'matches',
                  )} with it when the same is asked for again within 24 hours.`}
          </p>
          <Textarea
            label="Reason, kept with the decision"
            rows={3}
            maxLength={1000}
            value={reason}
            onChange={(e) => setReason(e.currentTarget.value)}
            data-autofocus
          />
          <Problem of={decide.refusal} />
          <div className={c.foot}>
            <Button onClick={() => setWish(undefined)}>Back</Button>
            <Button
              variant="filled"
              {...(wish === 'discard' ? { color: 'negative' } : {})}
              loading={decide.busy}
              disabled={reason.trim() === ''}
              onClick={() => void settle()}
            >
              {wish === 'discard' ? 'Discard it' : 'Release it'}
            </Button>
          </div>
        </div>
      </Modal>
    </div>
  );
}
