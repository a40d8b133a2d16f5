import { KiB } from '#kernel/limits.ts';
import type { ToolAnswer } from './builtin-tool.ts';

/** About 25,000 tokens: what a model can still think about. Above it, a caller asks for less at a time. */
export const MAX_ANSWER_TEXT = 100 * KiB;

/**
 * A tool's answer in lines, whole lines only, as many as fit; what did not fit is said. `structured` is for ids and cursors, not for the text
 * again.
 */
export function textAnswer(
  lines: readonly string[],
  structured?: Readonly<Record<string, unknown>>,
  o: { ask?: string } = {},
): ToolAnswer {
  const kept: string[] = [];
  let left = MAX_ANSWER_TEXT;
  for (const line of lines) {
    const size = Buffer.byteLength(line) + 1;
    if (size > left) break;
    kept.push(line);
    left -= size;
  }
  if (kept.length < lines.length) {
    const cut = lines[kept.length] ?? '';
    // One endless line must not leave an answer empty.
    if (kept.length === 0)
      kept.push(
        Buffer.from(cut)
          .subarray(0, left)
          .toString('utf8')
          .replace(/\ufffd$/, ''),
      );
    kept.push(
      `(cut at ${MAX_ANSWER_TEXT / KiB} KiB: ${kept.length} of ${lines.length} lines are shown; ${o.ask ?? 'ask for less at a time'})`,
    );
  }
  return {
    content: [{ type: 'text', text: kept.join('\n') }],
    ...(structured === undefined ? {} : { structuredContent: structured }),
  };
}
