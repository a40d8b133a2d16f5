import { Button } from '@mantine/core';
import {
  changeDomain,
  checkDomain,
  listCaptures,
  listEvidence,
  readDomain,
  removeDomain,
} from '@gatehouse/client/domains.ts';
import { Banner, Facts, Section, State, Tag } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Act } from '../../kit/act.tsx';
import { useAsk, useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem, sentence } from '../../kit/problem.tsx';
import { useRows } from '../../kit/rows.ts';
import { At, When } from '../../kit/time.tsx';
import { count, day } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Confirm } from '../people/confirm.tsx';
import { CopyValue } from '../people/copy-value.tsx';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { Capture } from './capture.tsx';
import { DomainState, type Domain } from './domains.tsx';
import c from './identity.module.css';

export const loader = ({ org, params, ask, askRows }: LoaderContext): Promise<unknown> => {
  const domain = params['domain'] ?? '';
  return Promise.all([
    ask(readDomain, { org, domain }),
    askRows(listEvidence, { org, domain }),
    ask(listCaptures, { org }),
  ]);
};

/** One domain: the record to set, how it stands and why, and what each server said. */
export function Page() {
  const org = useOrg();
  const { domain: id = '' }: { domain?: string } = useParams({ strict: false });
  const d = useAsk(
    readDomain,
    { org, domain: id },
    { refetchInterval: (q) => (q.state.data?.state === 'pending' ? 5000 : false) },
  );
  const checking = useDo(checkDomain);
  const changing = useDo(changeDomain);
  const [asking, setAsking] = useState(false);
  return (
    <div className="gh-page">
      <PageHead
        room="Domains"
        roomAt="identity/domains"
        title={d.shown}
        actions={
          <>
            <Act can="sso.manage" onClick={() => setAsking(true)}>
              Give the domain up…
            </Act>
            <Act
              can="sso.manage"
              variant="filled"
              loading={checking.busy}
              onClick={() => void checking.run({ org, domain: id })}
            >
              Look now
            </Act>
          </>
        }
      >
        {d.name !== d.shown && <span className="gh-mono">{d.name} </span>}
        <DomainState of={d} />
      </PageHead>
      <Problem of={checking.refusal ?? changing.refusal} />
      <Standing of={d} />
      <div className={c.cols}>
        <div className={c.stack}>
          <Section title="Record to set" note="at whoever runs the DNS of the domain">
            <table className={`gh-table ${c.record}`}>
              <tbody>
                <tr>
                  <th scope="row">Type</th>
                  <td>{d.record.type}</td>
                </tr>
                <tr>
                  <th scope="row">Name</th>
                  <td>
                    <CopyValue label="name of the record">{d.record.host}</CopyValue>
                    <p className="gh-xs gh-3">
                      {d.record.orHost} itself does as well. Many panels add the domain by themselves: type only the
                      part in front of it.
                    </p>
                  </td>
                </tr>
                <tr>
                  <th scope="row">Value</th>
                  <td>
                    <CopyValue label="value of the record">{d.record.value}</CopyValue>
                  </td>
                </tr>
              </tbody>
            </table>
          </Section>
          <Evidence domain={id} />
        </div>
        <div className={c.stack}>
          <Section title="Facts">
            <Facts
              of={[
                ['Added', <When key="a" at={d.addedAt} />],
                ['Record last seen', d.lastSuccess ? <When key="s" at={d.lastSuccess} /> : 'never'],
                ['Looked at', d.checkedAt ? <When key="c" at={d.checkedAt} /> : 'not yet'],
                ['Looks again', <When key="n" at={d.nextCheckAt} />],
                ['Subdomains', d.includeSubdomains ? 'all of them count too' : 'do not count'],
              ]}
            />
            <div className="gh-actions">
              <Act
                can="sso.manage"
                size="sm"
                loading={changing.busy}
                onClick={() =>
                  void changing.run({ org, domain: id, body: { includeSubdomains: !d.includeSubdomains } })
                }
              >
                {d.includeSubdomains ? 'Let it speak for itself only' : 'Let it speak for its subdomains'}
              </Act>
            </div>
          </Section>
          {(d.state === 'verified' || d.state === 'failing') && <Capture domain={d} />}
        </div>
      </div>
      {asking && <GiveUp domain={d} onClose={() => setAsking(false)} />}
    </div>
  );
}

function Standing({ of: d }: { of: Domain }) {
  if (d.state === 'verified' && !d.fault) return null;
  const is = d.state === 'pending' ? 'info' : d.state === 'lapsed' || d.state === 'conflict' ? 'broken' : 'caution';
  return (
    <Banner
      is={is}
      title={
        d.state === 'failing' && d.lapsesAt
          ? `The record is missing; nothing changes until ${day(d.lapsesAt)}`
          : d.state === 'pending'
            ? d.fault
              ? 'The record is not there yet'
              : 'Waiting for the first look'
            : d.state === 'verified'
              ? 'The last look could not see the record'
              : d.state === 'lapsed'
                ? 'The domain has lapsed'
                : 'Another parent has verified this domain'
      }
    >
      <span className={c.anywhere}>
        {d.says} {d.fault && sentence(d.fault.fix)}
      </span>
    </Banner>
  );
}

function Evidence({ domain }: { domain: string }) {
  const org = useOrg();
  const input = useMemo(() => ({ org, domain }), [org, domain]);
  const rows = useRows(listEvidence, input, false);
  return (
    <Section title="What each server said" note="newest first">
      <Problem of={rows.refusal} again={rows.again} />
      {!rows.waiting && rows.items.length === 0 ? (
        <p className="gh-s gh-3">No server was asked yet.</p>
      ) : (
        <div className="gh-scroll" tabIndex={0} role="group" aria-label="What each server said">
          <table className="gh-table">
            <thead>
              <tr>
                <th>At, UTC</th>
                <th>Server</th>
                <th>Asked for</th>
                <th>Answer</th>
                <th>Meant</th>
              </tr>
            </thead>
            <tbody>
              {rows.items.map((e, i) => (
                <tr key={`${e.number}-${i}`}>
                  <td>
                    <At at={e.at} />
                  </td>
                  <td className="gh-nowrap">
                    <span className="gh-mono">{e.resolver}</span>
                    <br />
                    <span className="gh-xs gh-3">{e.role === 'authoritative' ? 'of the zone' : 'resolver'}</span>
                  </td>
                  <td className="gh-mono">{e.record}</td>
                  <td className={c.answer}>
                    {e.rcode !== 'NOERROR' && <Tag>{e.rcode}</Tag>} {e.answer.join(' · ') || 'no TXT record'}
                    {e.ttl !== null && <span className="gh-3"> for {count(e.ttl)} s</span>}
                  </td>
                  <td className="gh-nowrap">
                    {e.verdict === 'proved' ? (
                      <State is="ok" quiet>
                        proved
                      </State>
                    ) : (
                      <span className="gh-mono">{e.verdict}</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.more && (
        <div className="gh-actions">
          <Button size="sm" onClick={rows.more}>
            Earlier checks
          </Button>
        </div>
      )}
    </Section>
  );
}

function GiveUp({ domain: d, onClose }: { domain: Domain; onClose: () => void }) {
  const org = useOrg();
  const go = useGo();
  const removing = useDo(removeDomain, { also: ['provisioning', 'identity'] });
  return (
    <Confirm
      open
      danger
      title={`Give ${d.shown} up?`}
      act={`Give ${d.shown} up`}
      busy={removing.busy}
      refusal={removing.refusal}
      onClose={onClose}
      onAct={() => void removing.run({ org, domain: d.id }, () => go('identity/domains'))}
    >
      <p className="gh-s gh-2">
        Accounts stay as they are and go on signing in. Addresses of {d.shown} are led to no identity provider any more,
        and a first sign-in makes no account for them. To add it again, the record gets a new value.
      </p>
    </Confirm>
  );
}
