import type { Actor } from '#kernel/ctx.ts';

/** Whom a row names as the one who did it. */
export const actorName = (a: Actor): string => (a.kind === 'nobody' ? 'nobody' : a.id);
