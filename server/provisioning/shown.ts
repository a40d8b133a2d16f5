import { z } from 'zod';
import { givenRoles, memberRoles } from '#org/member.ts';
import type { Decision } from './decide.ts';
import type { Mapping } from './mapping.ts';
import { inWords } from './reason.ts';

/** Wire forms that several operations share. */
export const Time = z.iso.datetime({ offset: true });
export const inside = { org: z.string() };
export const OrgPath = z.object(inside);

export const ShownMapping = z.object({
  id: z.string(),
  group: z.string().nullable(),
  name: z.string().nullable(),
  role: z.enum(givenRoles),
  tier: z.string().nullable(),
  /** A pre-defined name, which nobody has to map. */
  predefined: z.boolean(),
  /** `directory`, `attribute` or `hand`; null until such a group comes. */
  source: z.enum(['directory', 'attribute', 'hand']).nullable(),
  seen: z.object({ groups: z.number(), members: z.number(), first: Time, last: Time }).nullable(),
});

export const shownMapping = (
  m: Mapping,
  groups: readonly {
    source: 'directory' | 'attribute' | 'hand';
    members: number;
    firstSeen: Date;
    lastSeen: Date;
    name: string;
  }[],
): z.infer<typeof ShownMapping> => {
  const [one] = groups;
  return {
    id: m.id,
    group: 'group' in m.by ? m.by.group : null,
    name: 'name' in m.by ? m.by.name : (one?.name ?? null),
    role: m.role,
    tier: m.tier,
    predefined: m.standing,
    source: one?.source ?? null,
    seen: one
      ? {
          groups: groups.length,
          members: groups.reduce((n, g) => n + g.members, 0),
          first: new Date(Math.min(...groups.map((g) => g.firstSeen.getTime()))).toISOString(),
          last: new Date(Math.max(...groups.map((g) => g.lastSeen.getTime()))).toISOString(),
        }
      : null,
  };
};

export const ShownDecision = z.object({
  admit: z.boolean(),
  role: z.enum(memberRoles).nullable(),
  seat: z.enum(['none', 'unused', 'taken', 'refused']),
  effects: z.array(z.string()),
  reasons: z.array(z.object({ code: z.string(), says: z.string() })),
});

export const shownDecision = (d: Decision): z.infer<typeof ShownDecision> => ({
  admit: d.admit,
  role: d.role ?? null,
  seat: d.seat,
  effects: d.effects.map((e) => e.do),
  reasons: d.reasons.map((code) => ({ code, says: inWords([code]) })),
});
