import { Problem } from '#kernel/problem.ts';
import { visible } from '#kernel/visible.ts';
import type { ToolClass } from '#policy/schema.ts';
import { MAX_TOOLS } from '../tool.ts';
import type { Operation, Proposed } from './operation.ts';
import { shownPlace } from './refusal.ts';

/** What an administrator says of one operation. `key` is `GET /pets/{id}`; what is left out is as it was proposed. */
export type Choice = { key: string; name?: string | undefined; class?: ToolClass | undefined };

/** The operations that were chosen, as they will be kept: all that can be imported, or these. What cannot be is refused by name and place. */
export function chosenOperations(proposed: readonly Proposed[], choice: 'all' | readonly Choice[]): Operation[] {
  const chosen =
    choice === 'all'
      ? proposed.flatMap((p) => (p.operation ? [p.operation] : []))
      : choice.map((c) =>
          applied(
            proposed.find((p) => p.key === c.key),
            c,
          ),
        );
  if (chosen.length === 0)
    throw unfit(
      'no operation of this document can be imported',
      'look at the preview: it says why, operation by operation',
    );
  if (chosen.length > MAX_TOOLS)
    throw unfit(
      `${chosen.length} operations are more than the ${MAX_TOOLS} tools that a connector has`,
      'choose those that are needed',
    );
  const names = new Map<string, string>();
  for (const o of chosen) {
    const other = names.get(o.name.toLowerCase());
    if (other !== undefined)
      throw unfit(
        `${visible(o.key)} and ${visible(other)} would both be the tool ${o.name}`,
        'give one of them another name, and choose each once',
      );
    names.set(o.name.toLowerCase(), o.key);
  }
  return chosen;
}

function applied(p: Proposed | undefined, c: Choice): Operation {
  if (!p)
    throw unfit(
      `the document has no operation ${JSON.stringify(visible(c.key).slice(0, 200))}`,
      'choose from the preview, by method and path',
    );
  if (!p.operation)
    throw unfit(
      `${p.key} cannot be imported: ${p.refused.why} (${shownPlace(p.refused.at)})`,
      'leave it out, or change the document',
    );
  return { ...p.operation, name: c.name ?? p.operation.name, class: c.class ?? p.operation.class };
}

const unfit = (says: string, fix: string): Problem =>
  new Problem('invalid', 'connectors/openapi-choice', { says, fix });
