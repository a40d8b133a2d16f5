import type { Actor } from '#kernel/ctx.ts';

/** Who did it, as rows keep it. */
export const actorId = (a: Actor): string => ('id' in a ? a.id : a.kind);
