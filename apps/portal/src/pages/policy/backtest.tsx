import { list as listConnectors } from '@gatehouse/client/connectors.ts';
import { readBacktest } from '@gatehouse/client/policy.ts';
import { Head, Section } from '@gatehouse/ui/parts.tsx';
import { useParams } from '@tanstack/react-router';
import { useAsk } from '../../kit/ask.ts';
import { connectorsOf } from '../../kit/choose.tsx';
import { useOrg } from '../../kit/org.tsx';
import { day, moment } from '../../kit/words.ts';
import type { LoaderContext } from '../page.ts';
import { BacktestRun } from './backtest-view.tsx';

export const loader = ({ org, params, ask }: LoaderContext): Promise<unknown> =>
  Promise.all([ask(listConnectors, connectorsOf(org)), ask(readBacktest, { org, backtest: params['backtest'] ?? '' })]);

/** What one draft would have done to recorded calls. */
export function Page() {
  const { backtest = '' } = useParams({ strict: false }) as { backtest?: string };
  const org = useOrg();
  const b = useAsk(readBacktest, { org, backtest });
  return (
    <div className="gh-page">
      <Head
        room="Backtests"
        roomHref={`/portal/${org}/policy/backtests`}
        title={`Calls of ${day(b.since)} to ${day(b.until)}`}
      >
        Asked {moment(b.askedAt)}.
      </Head>
      <Section title="What would have ended differently">
        <BacktestRun id={backtest} />
      </Section>
    </div>
  );
}
