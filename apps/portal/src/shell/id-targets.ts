import type { May } from '../kit/org.tsx';

export type Target = { name: string; note?: string; at: string; search?: Record<string, string> };

/** Where an id leads, by its prefix; rooms add a line for theirs. */
const leads: { prefix: RegExp; can: string; to(id: string): Target }[] = [];

/** What a pasted id may be. */
export const idTargets = (text: string, may: (permission: string) => May): readonly Target[] =>
  leads.filter((l) => l.prefix.test(text) && may(l.can).ok).map((l) => l.to(text));
