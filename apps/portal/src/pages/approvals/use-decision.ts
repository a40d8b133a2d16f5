import { Refusal } from '@gatehouse/client/call.ts';
import { askForProof, decideSeveral } from '@gatehouse/client/approvals.ts';
import { call } from '@gatehouse/client/call.ts';
import type { InputOf } from '@gatehouse/client/call.ts';
import { useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';

type Body = InputOf<typeof decideSeveral>['body'];
export type Deciding = {
  /** Decides all of them by one decision, or none. `fresh`: a passkey signs the hash of exactly these calls. */
  decide(verdict: 'approved' | 'denied', how?: { fresh?: boolean; reason?: string }): Promise<boolean>;
  busy: 'approved' | 'denied' | undefined;
  refusal: Refusal | undefined;
};

/** What the browser did not sign; its own words are for programmers. */
const unsigned = (e: Error): Refusal =>
  new Refusal(0, {
    code: 'client/not-signed',
    says: e.name === 'NotAllowedError' ? 'nothing was signed: it was cancelled, or took too long' : e.message,
    fix: 'try again; nothing was decided',
  });

/** Approves or denies. Nothing counts as approved before the server has said so. */
export function useDecision(org: string, items: Body['items'], screens: () => Promise<unknown>): Deciding {
  const queries = useQueryClient();
  const [busy, setBusy] = useState<'approved' | 'denied'>();
  const [refusal, setRefusal] = useState<Refusal>();
  const running = useRef(false);

  async function proofOf(): Promise<NonNullable<Body['proof']>> {
    const [first, ...more] = items.map((i) => i.approval);
    const query = more.length > 0 ? { with: more.join(',') } : {};
    const options = await call(askForProof, { org, approval: first ?? '', query });
    const { startAuthentication } = await import('@simplewebauthn/browser');
    const optionsJSON = options as Parameters<typeof startAuthentication>[0]['optionsJSON'];
    return startAuthentication({ optionsJSON });
  }

  return {
    busy,
    refusal,
    async decide(verdict, { fresh = false, reason } = {}) {
      if (running.current) return false;
      running.current = true;
      setBusy(verdict);
      setRefusal(undefined);
      try {
        const said = reason === undefined || reason.trim() === '' ? {} : { reason: reason.trim() };
        const proof = verdict === 'approved' && fresh ? { proof: await proofOf() } : {};
        await call(decideSeveral, { org, body: { items, verdict, ...said, ...proof } });
        return true;
      } catch (e) {
        setRefusal(e instanceof Refusal ? e : unsigned(e instanceof Error ? e : new Error(String(e))));
        return false;
      } finally {
        await Promise.all([screens(), queries.invalidateQueries({ queryKey: ['approvals'] })]);
        running.current = false;
        setBusy(undefined);
      }
    },
  };
}
