import { couldCall } from '#policy/decide.ts';
import { momentOf } from '../admit.ts';
import type { Caller } from '../caller.ts';
import type { ConnectorView, OrgView } from '../org-view.ts';

/** Which tools of a connector a person sees now, by what is reviewed and what policy may let him: changes of it are changes of his list. */
export const shownNames = (view: OrgView, who: Caller, c: ConnectorView, now: Date): string[] =>
  c.state === 'off'
    ? []
    : [...c.tools.values()].flatMap((t) =>
        t.state === 'reviewed' &&
        t.class !== undefined &&
        t.reviewedPin === t.pin &&
        couldCall(view.policies, {
          user: who.user,
          groups: who.groups,
          tool: { connector: c.id, type: c.type, name: t.name, class: t.class, outward: t.outward },
          context: momentOf(view.policies, now),
        })
          ? [`${c.slug}/${t.name}@${t.pin}`]
          : [],
      );
