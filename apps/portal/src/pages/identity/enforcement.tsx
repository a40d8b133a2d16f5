import { listBreakGlass, readEnforcement } from '@gatehouse/client/identity.ts';
import { Section, State } from '@gatehouse/ui/parts.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { When } from '../../kit/time.tsx';
import { count } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { PageHead } from '../people/page-head.tsx';
import { EnforcementPanel, wantedOf } from './enforcement-panel.tsx';
import { simulation, stateWord } from './enforcement-words.ts';
import c from './sso.module.css';

export const loader = ({ org, search, ask }: LoaderContext): Promise<unknown> => {
  const wanted = wantedOf({ stage: search['stage'] ?? 'full', percent: Number(search['percent'] ?? 10) });
  return Promise.all([
    ask(readEnforcement, { org }),
    ask(listBreakGlass, { org }),
    ask(simulation, { org, query: { ...wanted, limit: 100 } }),
  ]);
};

const gapWord = {
  suspended: 'the account is suspended',
  not_local: 'it belongs to a directory',
  not_owner: 'it is not an owner',
  no_passkey: 'it has no passkey',
  never_proved: 'it never proved that it gets in',
  proof_too_old: 'its last proof is older than 90 days',
} as const;

/** How far the organization insists on single sign-on. */
export function Page() {
  const org = useOrg();
  const now = useAsk(readEnforcement, { org });
  const { items } = useAsk(listBreakGlass, { org });
  return (
    <div className="gh-page">
      <PageHead room="Identity" roomAt="identity/domains" title="Enforcement">
        {stateWord[now.state].says}{' '}
        {now.changedAt && (
          <>
            Set <When at={now.changedAt} />.
          </>
        )}
      </PageHead>
      <div className={c.cols}>
        <EnforcementPanel />
        <div className={c.stack}>
          <Section title="Counted" note={`in ${count(now.hits.sinceDays)} days`}>
            <div className={c.legend}>
              <span />
              <b>{count(now.hits.wouldRefuse)}</b>
              <span>sign-ins that enforcement would have refused</span>
              <span />
              <b>{count(now.hits.refused)}</b>
              <span>sign-ins that it refused</span>
              <span />
              <b>{count(now.hits.people)}</b>
              <span>people behind them</span>
            </div>
          </Section>
          <Section title="Break-glass accounts" note="the way in when the identity provider fails">
            {items.length === 0 && (
              <p className="gh-s gh-2">
                None yet. Make one on the page of a member who is an owner: it needs a passkey and a proof every 90
                days.
              </p>
            )}
            <ul className={c.orgs}>
              {items.map((b) => (
                <li key={b.user}>
                  <State is={b.usable ? 'ok' : 'caution'} quiet={b.usable}>
                    {b.displayName || b.email}
                  </State>{' '}
                  <span className="gh-2">
                    {b.usable && b.provedAt ? (
                      <>
                        proved <When at={b.provedAt} />
                      </>
                    ) : (
                      b.gaps.map((g) => gapWord[g]).join(', ')
                    )}
                  </span>
                </li>
              ))}
            </ul>
          </Section>
        </div>
      </div>
    </div>
  );
}
