import { listDomainNames } from '#domains/domain-names.sql.ts';
import { signedInAt } from '#identity/signed-in-at.ts';
import { notify } from '#notify/notify.ts';
import type { MergeUpstairs } from '#org/merge-upstairs.ts';

/** What the org room asks of rooms above it when two parents are merged. */
export const mergeUpstairs: MergeUpstairs = {
  async herald(tx, ctx, { what, merge, to }) {
    await notify(tx, ctx, { to, about: { kind: `merge_${what}`, merge } });
  },
  signedInAt,
  domains: listDomainNames,
};
