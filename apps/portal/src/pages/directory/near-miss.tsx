import { fixNearMiss } from '@gatehouse/client/provisioning.ts';
import { Glyph } from '@gatehouse/ui/glyphs.tsx';
import { Act } from '../../kit/act.tsx';
import { useDo } from '../../kit/ask.ts';
import { useOrg } from '../../kit/org.tsx';
import { Problem } from '../../kit/problem.tsx';
import { countOf } from '../../kit/words.ts';
import type { Miss } from './draft.ts';
import c from './mappings.module.css';
import { Marked } from './marked.tsx';
import type { Plan } from './plan-box.tsx';

const kindWord: Record<Miss['kind'], string> = {
  case: 'Only capital letters differ.',
  space: 'Only white space differs.',
  separator: 'Only the separators differ.',
  prefix: 'Only the prefix differs.',
  typo: 'One or two letters differ.',
};

/** A mapping waits for a name, and nearly that name came. One press maps what came; where somebody would lose by it, it becomes a plan. */
export function NearMiss({
  of: n,
  columns,
  onPlan,
  onDone,
}: {
  of: Miss;
  columns: number;
  onPlan: (plan: Plan) => void;
  onDone: (says: string) => void;
}) {
  const org = useOrg();
  const fixing = useDo(fixNearMiss, { also: ['org'] });
  return (
    <tr className={c.hint}>
      <td colSpan={columns}>
        <div className={c.in}>
          <Glyph name="caution" />
          <div>
            <b>Something very close arrives instead.</b>{' '}
            <span className="gh-2">
              {kindWord[n.kind]} {countOf(n.members, 'person is', 'people are')} in it.
            </span>
            <div className={c.pair}>
              <span className="gh-3">you mapped</span>
              <Marked text={n.wanted} against={n.seen} />
              <span className="gh-3">arrives</span>
              <Marked text={n.seen} against={n.wanted} />
            </div>
            <Problem of={fixing.refusal} />
          </div>
          <Act
            can="directory.manage"
            size="sm"
            loading={fixing.busy}
            onClick={() =>
              void fixing.run({ org, body: { mapping: n.mapping, group: n.group } }).then((plan) => {
                if (plan?.applied)
                  onDone(
                    `${n.seen} is mapped as it arrives; ${countOf(plan.applied.changed, 'person', 'people')} changed.`,
                  );
                else if (plan) onPlan(plan);
              })
            }
          >
            Map what arrives
          </Act>
        </div>
      </td>
    </tr>
  );
}
