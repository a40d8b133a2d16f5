import { change } from '#audit/change.ts';
import { event } from '#audit/events.ts';
import type { Ctx } from '#kernel/ctx.ts';
import type { Id } from '#kernel/id.ts';
import { noSuchPasskey } from './passkey.ts';
import { passkeyEvents } from './passkey.events.ts';
import { deletePasskey } from './passkey.sql.ts';

/** Takes one of a person's own passkeys away. Sessions that began with it go on; they are listed and ended by themselves. */
export const removePasskey = (ctx: Ctx, user: Id<'usr'>, passkey: Id<'pky'>): Promise<void> =>
  change({ ...ctx, org: undefined }, async (tx) => {
    if ((await deletePasskey(tx, user, passkey)) === 0) throw noSuchPasskey();
    return { value: undefined, events: [event(passkeyEvents, 'passkey.removed', { passkey, user })] };
  });
