import { get } from '@gatehouse/client/limits.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useOrg } from '../../kit/org.tsx';
import type { LoaderContext } from '../page.ts';
import { OrgLimits } from './limit-form.tsx';

export const loader = ({ org, ask }: LoaderContext): Promise<unknown> => ask(get, { org });

/** How many calls there may be, for all connectors. */
export function Page() {
  const org = useOrg();
  return (
    <div className="gh-page">
      <Head room="Connectors" roomHref={`/portal/${org}/connectors`} title="Limits">
        How many calls there may be, so that one agent that runs in circles stops nobody else. Each connector may have
        limits of its own.
      </Head>
      <Section title="For the whole organization">
        <OrgLimits />
      </Section>
    </div>
  );
}
