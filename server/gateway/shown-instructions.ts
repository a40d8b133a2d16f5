import { noteTools } from '#connectors/note-tools.ts';
import { isRecord, seenInstructions } from '#connectors/tool.ts';
import { member, whole } from '#kernel/json-span.ts';
import type { Exchange } from './exchange.ts';

/** Methods whose answer says what the connector is; what it says to models with it needs a review like a tool's description. */
export const greetings: ReadonlySet<string> = new Set(['initialize', 'server/discover']);

/** What a greeting becomes for clients: the text and the same parsed. */
export type Greeting = { text: string; result: unknown };

/**
 * The answer to a greeting without instructions that no reviewer has accepted; every other byte stays as it was. Instructions that are not as
 * known are written down for the review before anybody is told anything.
 */
export async function shownInstructions(x: Exchange, text: string, result: unknown): Promise<Greeting> {
  const { instructions: known, id, builtin } = x.connector;
  const said = isRecord(result) ? result['instructions'] : undefined;
  const seen = seenInstructions(said);
  const offered = seen && 'pin' in seen ? seen : undefined;
  if (offered?.pin !== known?.pin && builtin === undefined)
    await noteTools({ ...x.ctx, actor: { kind: 'system', id: 'gateway.greeting' } }, id, [], offered ?? null);
  if (seen === undefined || (offered && offered.pin === known?.reviewedPin)) return { text, result };
  const at = member(text, whole(text), 'result');
  const cut = at && member(text, at, 'instructions');
  if (!cut) return { text, result };
  return {
    text: `${text.slice(0, cut.from)}""${text.slice(cut.to)}`,
    result: { ...(isRecord(result) ? result : {}), instructions: '' },
  };
}
