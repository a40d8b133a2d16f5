import type { May } from '../kit/org.tsx';

export type Target = { name: string; note?: string; at: string; search?: Record<string, string> };

/** Where an id leads, by its prefix; rooms add a line for theirs. */
const leads: { prefix: RegExp; can: string; to(id: string): Target }[] = [
  {
    prefix: /^(?:evt|req|tcl|sgn)_[0-9a-f]{32}$/,
    can: 'audit.read',
    to: (id) => ({ name: 'What happened there, and why', note: 'Audit', at: 'audit/why', search: { q: id } }),
  },
  {
    prefix: /^tcl_[0-9a-f]{32}$/,
    can: 'audit.read',
    to: (id) => ({ name: 'Events of this call', note: 'Audit', at: 'audit', search: { call: id } }),
  },
  {
    prefix: /^#?[\d,]{1,16}$/,
    can: 'audit.read',
    to: (id) => {
      const seq = id.replaceAll(/[#,]/g, '');
      return { name: `Event #${seq}`, note: 'Audit', at: 'audit', search: { event: seq } };
    },
  },
];

/** What a pasted id may be. */
export const idTargets = (text: string, may: (permission: string) => May): readonly Target[] =>
  leads.filter((l) => l.prefix.test(text) && may(l.can).ok).map((l) => l.to(text));
