import { SegmentedControl } from '@mantine/core';
import { listIdpGuides } from '@gatehouse/client/identity.ts';
import { Section } from '@gatehouse/ui/parts.tsx';
import { useAddress } from '../../kit/address.ts';
import { useAsk } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import type { LoaderContext } from '../page.ts';
import { useGo } from '../people/go.tsx';
import { PageHead } from '../people/page-head.tsx';
import { ConnectOidc } from './connect-oidc.tsx';
import { ConnectSaml } from './connect-saml.tsx';
import c from './sso.module.css';
import { There } from './there.tsx';

const inWizard = { idp: '', way: 'saml' };

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(listIdpGuides, { org });

/** Connects an identity provider: choose it, enter our values there, bring theirs back. The test comes next, on its own page. */
export function Page() {
  const org = useOrg();
  const go = useGo();
  const [at, set] = useAddress(inWizard);
  const { items } = useAsk(listIdpGuides, { org });
  const guide = items.find((g) => g.id === at.idp);
  const way = at.way === 'oidc' ? 'oidc' : 'saml';
  return (
    <div className="gh-page">
      <PageHead room="Sign-in" roomAt="identity/sign-in" title="Connect an identity provider">
        Nobody is asked to use it until you enforce it: what works now goes on working.
      </PageHead>
      <Section title="1. Which one" note="we know the names of its fields">
        <div className={c.idps} role="group" aria-label="Identity provider">
          {items.map((g) => (
            <button
              key={g.id}
              type="button"
              className={c.idp}
              aria-pressed={g.id === at.idp}
              onClick={() => set({ idp: g.id }, { push: true })}
            >
              {g.name}
            </button>
          ))}
        </div>
        {guide && (
          <div className={c.choose}>
            <SegmentedControl
              aria-label="Protocol"
              value={way}
              onChange={(v) => set({ way: v })}
              data={[
                { value: 'saml', label: 'SAML' },
                { value: 'oidc', label: 'OpenID Connect' },
              ]}
            />
            <p className="gh-s gh-2">
              {way === 'saml'
                ? 'Sends department, manager and groups with every sign-in. A certificate has to be renewed from time to time.'
                : 'No certificates to renew. Some providers send no groups this way; the table below says so.'}
            </p>
          </div>
        )}
      </Section>
      {guide && (
        <>
          <Section title={`2. At ${guide.name}`} note="our values are ready to copy">
            <There way={guide[way]} />
          </Section>
          <Section title="3. Bring back" note={`from ${guide.name}`}>
            {way === 'oidc' ? (
              <ConnectOidc
                key={guide.id}
                guide={guide}
                onMade={(id) => go(`identity/sign-in/oidc/${id}`, { tab: 'test' })}
              />
            ) : (
              <ConnectSaml
                key={guide.id}
                guide={guide}
                onMade={(id) => go(`identity/sign-in/saml/${id}`, { tab: 'test' })}
              />
            )}
          </Section>
        </>
      )}
    </div>
  );
}
