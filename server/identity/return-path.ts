import { Problem } from '#kernel/problem.ts';

/** Longer than any address of ours with its query; keeps the attempt's row small. */
const MAX_RETURN_PATH = 2000;

/**
 * Where a person goes after signing in: a path on this server, `/` when nothing was asked.
 * INVARIANT (no open redirect): browsers read `//x`, `/\x` and tabs or newlines inside as another host, so none of them gets through;
 * what stays is compared once more by the parser that browsers follow.
 */
export function returnPath(text: string | undefined): string {
  if (text === undefined || text === '') return '/';
  const here = 'https://here.invalid';
  const ok =
    text.length <= MAX_RETURN_PATH &&
    text.startsWith('/') &&
    !text.startsWith('//') &&
    // oxlint-disable-next-line no-control-regex -- control characters are what is refused
    !/[\\\u0000-\u0020\u007f-\u009f]/.test(text) &&
    URL.parse(text, here)?.origin === here;
  if (!ok)
    throw new Problem('invalid', 'identity/return-path', {
      says: 'return_to is not a path on this server',
      fix: 'give a path that begins with one slash, or leave it out',
    });
  return text;
}
