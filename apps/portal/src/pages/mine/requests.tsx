import { Button, Modal, Tabs } from '@mantine/core';
import { cancel, list as listApprovals } from '@gatehouse/client/approvals.ts';
import type { OutputOf } from '@gatehouse/client/call.ts';
import { Head, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import type { GlyphName } from '@gatehouse/ui/glyphs.tsx';
import { useMemo, useState } from 'react';
import { useAddress } from '../../kit/address.ts';
import { useAsk, useDo } from '../../kit/ask.ts';
import { DataTable } from '../../kit/data-table.tsx';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { At, When } from '../../kit/time.tsx';
import { useGo } from '../../kit/use-go.ts';
import { countOf } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import c from './mine.module.css';

type Request = OutputOf<typeof listApprovals>['items'][number];

const pending = (org: string) => ({ org, query: { for: 'mine', state: 'pending', limit: 50 } }) as const;
const forMe = (org: string) => ({ org, query: { for: 'me', limit: 50 } }) as const;

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listApprovals, pending(org)), ask(listApprovals, forMe(org))]);

const states: Record<Request['state'], { is: GlyphName; word: string }> = {
  pending: { is: 'held', word: 'Waits' },
  approved: { is: 'ok', word: 'Approved' },
  denied: { is: 'denied', word: 'Denied' },
  expired: { is: 'expired', word: 'Expired' },
  cancelled: { is: 'none', word: 'Taken back' },
  superseded: { is: 'none', word: 'Replaced' },
};
const who = (r: Request): string => r.asker.name ?? 'Somebody';
const where = (r: Request): string => r.connectorName ?? r.connector;

const defaults = { tab: 'me' };

/** What waits for my yes, and what my agents asked others for. */
export function Page() {
  const org = useOrg();
  const [{ tab }, set] = useAddress(defaults);
  const { items: mine } = useAsk(listApprovals, pending(org));
  const { items: me } = useAsk(listApprovals, forMe(org));
  return (
    <div className="gh-page">
      <Head room="Mine" roomHref={`/portal/${org}/mine`} title="My approvals">
        {me.length === 0 ? 'Nothing waits for you.' : `${countOf(me.length, 'call waits', 'calls wait')} for you.`}{' '}
        {mine.length > 0 &&
          `${countOf(mine.length, 'call')} of your own agents ${mine.length === 1 ? 'waits' : 'wait'} for somebody.`}
      </Head>
      <Tabs value={tab} onChange={(to) => set({ tab: to ?? 'me' })} keepMounted={false}>
        <Tabs.List>
          <Tabs.Tab value="me">Asked of me</Tabs.Tab>
          <Tabs.Tab value="mine">Asked by my agents</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="me" pt="lg">
          <AskedOfMe of={me} />
        </Tabs.Panel>
        <Tabs.Panel value="mine" pt="lg">
          <AskedByMe waiting={mine} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function AskedOfMe({ of }: { of: readonly Request[] }) {
  const go = useGo();
  if (of.length === 0)
    return (
      <div className="gh-empty">
        <p>
          When a rule says that you decide about a call of somebody’s agent, it waits here, with everything that the
          call would do. Until you decide, it does not run.
        </p>
      </div>
    );
  return (
    <Section title="Waits for you" note="the call is shown whole before you decide">
      <ul className={`${c.req} gh-tone gh-held`}>
        {of.map((r) => (
          <li key={r.id}>
            <State is="held">
              <span className="gh-vh">Held</span>
            </State>
            <div>
              <h3>
                {who(r)}’s agent wants to call <span className="gh-mono">{r.tool}</span>
              </h3>
              <p>
                {where(r)} <Tag>{r.class}</Tag> · asked <When at={r.asked} />, expires <When at={r.expires} />
              </p>
            </div>
            <Button size="sm" onClick={() => go(`approvals/inbox/${r.id}`)}>
              Review the call<span className="gh-vh"> of {r.tool}</span>
            </Button>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function AskedByMe({ waiting }: { waiting: readonly Request[] }) {
  const org = useOrg();
  const go = useGo();
  const [taking, setTaking] = useState<Request>();
  const input = useMemo(() => ({ org, query: { for: 'mine' } }) as const, [org]);
  return (
    <>
      {waiting.length > 0 && (
        <Section title="Waits for somebody">
          <ul className={c.req}>
            {waiting.map((r) => (
              <li key={r.id}>
                <State is="held">
                  <span className="gh-vh">Held</span>
                </State>
                <div>
                  <h3>
                    <span className="gh-mono">{r.tool}</span> of {where(r)}
                  </h3>
                  <p>
                    Asked <When at={r.asked} />, expires <When at={r.expires} />. Your agent is told either way.
                  </p>
                </div>
                <span className="gh-actions">
                  <Button size="sm" onClick={() => setTaking(r)}>
                    Take it back…
                  </Button>
                  <Button size="sm" onClick={() => go(`approvals/inbox/${r.id}`)}>
                    Look at it
                  </Button>
                </span>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Section title="Everything that your agents asked for" note="newest first">
        <DataTable
          op={listApprovals}
          input={input}
          name="requests of my agents"
          searchable="Search tool, connector or id"
          row={(r) => r.id}
          onRow={(r) => go(`approvals/inbox/${r.id}`)}
          columns={[
            { head: 'Tool', cell: (r) => <span className="gh-mono">{r.tool}</span>, value: (r) => r.tool },
            { head: 'Connector', cell: where, value: where },
            {
              head: 'State',
              cell: (r) => (
                <State is={states[r.state].is} quiet={r.state !== 'pending' && r.state !== 'denied'}>
                  {states[r.state].word}
                </State>
              ),
              value: (r) => states[r.state].word,
            },
            { head: 'Decided by', cell: (r) => r.decided?.name ?? '–', value: (r) => r.decided?.name ?? '' },
            { head: 'Asked, UTC', cell: (r) => <At at={r.asked} />, value: (r) => r.asked, width: '160px' },
          ]}
          empty={<p>When a rule says that a person must agree to a call of your agent, the request is here.</p>}
        />
      </Section>
      {taking && <TakeBack of={taking} onClose={() => setTaking(undefined)} />}
    </>
  );
}

function TakeBack({ of, onClose }: { of: Request; onClose: () => void }) {
  const org = useOrg();
  const back = useDo(cancel, { also: ['mine'], done: onClose });
  return (
    <Modal opened onClose={onClose} title={`Take the request for ${of.tool} back?`} size={480}>
      <div className={c.dialog}>
        <p className="gh-s gh-2">
          Nobody can say yes to it any more, and the call does not run. Your agent may ask again.
        </p>
        <Problem of={back.refusal} />
        <div className={`gh-actions ${c.end}`}>
          <Button onClick={onClose}>Back</Button>
          <Button variant="filled" loading={back.busy} onClick={() => void back.run({ org, approval: of.id })}>
            Take it back
          </Button>
        </div>
      </div>
    </Modal>
  );
}
