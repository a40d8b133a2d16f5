import { call, Refusal } from '@gatehouse/client/call.ts';
import { previewPlan } from '@gatehouse/client/provisioning.ts';
import { useEffect, useState } from 'react';
import type { Plan } from './plan-box.tsx';

export type Edit = NonNullable<Parameters<NonNullable<typeof previewPlan.shape>>[0]>['body']['edits'][number];

type Computed = { plan: Plan | undefined; refusal: Refusal | undefined; computing: boolean };
const nothing: Computed = { plan: undefined, refusal: undefined, computing: false };

/** How long nothing must change before the server is asked: somebody who goes through a list of roles asks once. */
const PAUSE_MS = 400;

/** What edits would do to whom, computed by the server whenever they change, and again on `again`. */
export function usePlan(org: string, edits: readonly Edit[]): Computed & { again(): void; put(plan: Plan): void } {
  const [computed, setComputed] = useState(nothing);
  const [round, setRound] = useState(0);
  const asked = JSON.stringify(edits);
  useEffect(() => {
    const wanted = JSON.parse(asked) as Edit[];
    if (wanted.length === 0) {
      setComputed(nothing);
      return;
    }
    const stop = new AbortController();
    setComputed((before) => ({ ...before, computing: true, refusal: undefined }));
    const timer = setTimeout(() => {
      call(previewPlan, { org, body: { edits: wanted } }, stop.signal).then(
        (plan) => setComputed({ plan, refusal: undefined, computing: false }),
        (e: unknown) => {
          if (stop.signal.aborted) return;
          if (!(e instanceof Refusal)) throw e;
          setComputed({ plan: undefined, refusal: e, computing: false });
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [asked, org, round]);
  return {
    ...computed,
    again: () => setRound((n) => n + 1),
    put: (plan) => setComputed({ plan, refusal: undefined, computing: false }),
  };
}
