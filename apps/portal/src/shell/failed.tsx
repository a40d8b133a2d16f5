import { Refusal } from '@gatehouse/client/call.ts';
import { Head } from '@gatehouse/ui/parts.tsx';
import { useRouter } from '@tanstack/react-router';
import { Problem } from '../kit/problem.tsx';

/** What is not a refusal of the server is a fault of ours, and says so. */
const refusalOf = (e: unknown): Refusal =>
  e instanceof Refusal
    ? e
    : new Refusal(0, {
        code: 'client/fault',
        says: `this page failed in your browser: ${e instanceof Error ? e.message : String(e)}`,
        fix: 'load the page again; if it fails again, whoever runs this deployment should know',
      });

/** The page could not be loaded: the server's words, and the way to try again. */
export function PageFailed({ error, reset }: { error: unknown; reset: () => void }) {
  const router = useRouter();
  return (
    <div className="gh-page">
      <Head title="This page cannot be shown" />
      <Problem
        of={refusalOf(error)}
        again={() => {
          reset();
          void router.invalidate();
        }}
      />
    </div>
  );
}

export const NotHere = () => (
  <div className="gh-page">
    <Head title="There is no such page">
      Nothing is at {location.pathname}. The rooms at the side, or Search or do, lead to what there is.
    </Head>
  </div>
);
