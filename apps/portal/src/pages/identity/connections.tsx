import { listConnections, listSamlConnections, readEnforcement } from '@gatehouse/client/identity.ts';
import { Banner, Section, State } from '@gatehouse/ui/parts.tsx';
import { useAsk } from '../../kit/ask.ts';
import { useMay, useOrg } from '../../kit/org.tsx';
import { count, day } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { Go, GoButton } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import c from './sso.module.css';
import { stateWord } from './enforcement-words.ts';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([
    ask(listConnections, { org, query: { limit: 200 } }),
    ask(listSamlConnections, { org, query: { limit: 200 } }),
    ask(readEnforcement, { org }),
  ]);

/** How people sign in: the identity providers, and how far the organization insists on them. */
export function Page() {
  const org = useOrg();
  const may = useMay('sso.manage').ok;
  const oidc = useAsk(listConnections, { org, query: { limit: 200 } }).items;
  const saml = useAsk(listSamlConnections, { org, query: { limit: 200 } }).items;
  const enforcement = useAsk(readEnforcement, { org });
  const soon = Date.now() + 30 * 86_400_000;
  const all = [
    ...saml.map((s) => {
      const last = s.certificates
        .map((k) => k.notAfter)
        .toSorted()
        .at(-1);
      return {
        id: s.id,
        at: `identity/sign-in/saml/${s.id}`,
        name: s.name,
        way: 'SAML',
        issuer: s.issuer,
        state: s.state,
        last,
      };
    }),
    ...oidc.map((o) => ({
      id: o.id,
      at: `identity/sign-in/oidc/${o.id}`,
      name: o.name,
      way: 'OpenID Connect',
      issuer: o.issuer,
      state: o.state,
      last: undefined,
    })),
  ];
  return (
    <div className="gh-page">
      <PageHead
        room="Identity"
        roomAt="identity/domains"
        title="Sign-in"
        actions={
          may && (
            <>
              <GoButton to="identity/setup-links">Let somebody else set it up</GoButton>
              <GoButton to="identity/sign-in/connect" variant={all.length === 0 ? 'filled' : 'default'}>
                Connect an identity provider
              </GoButton>
            </>
          )
        }
      >
        Through whom people prove who they are. Enforcement: {stateWord[enforcement.state].name}.
      </PageHead>
      {enforcement.returnedBecause && (
        <Banner
          is="caution"
          title="Enforcement returned to report-only by itself"
          actions={
            <GoButton to="identity/enforcement" size="sm">
              See enforcement
            </GoButton>
          }
        >
          Too many sign-ins failed on the side of the identity provider: {enforcement.returnedBecause}. Nobody is
          refused until you enforce again.
        </Banner>
      )}
      <Section title="Identity providers" note={count(all.length)}>
        {all.length === 0 ? (
          <div className="gh-empty">
            <h3>No identity provider yet</h3>
            <p>
              Okta, Entra ID, Google or any other that speaks SAML or OpenID Connect. Until then people come in by
              passkey, by mailed link or by set-up link.
            </p>
            <div className="gh-actions">
              <GoButton to="identity/sign-in/connect" variant="filled">
                Connect an identity provider
              </GoButton>
            </div>
          </div>
        ) : (
          <table role="table" className={`gh-table ${c.list}`}>
            <thead role="rowgroup">
              <tr role="row">
                {['Name', 'State', 'Protocol', 'Issuer', 'Certificate'].map((h) => (
                  <th key={h} role="columnheader">
                    {h}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody role="rowgroup">
              {all.map((x) => (
                <tr key={x.id} role="row">
                  <td role="cell">
                    <Go to={x.at}>
                      <b>{x.name}</b>
                    </Go>
                  </td>
                  <td role="cell" data-label="State">
                    {x.state === 'active' ? (
                      <State is="ok" quiet>
                        On
                      </State>
                    ) : (
                      <State is="none">Off</State>
                    )}
                  </td>
                  <td role="cell" data-label="Protocol">
                    {x.way}
                  </td>
                  <td role="cell" data-label="Issuer" className={c.issuer}>
                    {x.issuer}
                  </td>
                  <td role="cell" data-label="Certificate">
                    {x.last === undefined ? (
                      <span className="gh-3">–</span>
                    ) : new Date(x.last).getTime() < soon ? (
                      <State is="caution">until {day(x.last)}</State>
                    ) : (
                      `until ${day(x.last)}`
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
      <Section
        title="Enforcement"
        aside={
          <Go to="identity/enforcement" className="gh-s">
            See who would be locked out
          </Go>
        }
      >
        <p className="gh-s gh-2">{stateWord[enforcement.state].says}</p>
        <p className="gh-s gh-2">
          In {count(enforcement.hits.sinceDays)} days: {count(enforcement.hits.wouldRefuse)} sign-ins would have been
          refused, {count(enforcement.hits.refused)} were.
        </p>
      </Section>
    </div>
  );
}
