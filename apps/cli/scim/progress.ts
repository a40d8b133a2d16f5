/** Where somebody who waits looks. It never mixes with what a command answers on stdout. */
export type Progress = {
  step(what: string, done: number, total: number | undefined): void;
  note(says: string): void;
  end(): void;
};

export const noProgress: Progress = { step: () => undefined, note: () => undefined, end: () => undefined };

type Out = { write(text: string): unknown; isTTY?: boolean | undefined; columns?: number | undefined };

/** The bar is drawn at most this often, in milliseconds. */
const EVERY = 80;
const BAR = 24;

/** A bar on a terminal; elsewhere a plain line when something begins, at each tenth, and when it is complete. */
export function makeProgress(out: Out, now: () => number): Progress {
  let drawn = 0;
  let open = false;
  const said = new Map<string, number>();
  const clear = (): void => {
    if (open) out.write('\r\u001B[K');
    open = false;
  };
  return {
    step(what, done, total) {
      const complete = total !== undefined && done >= total;
      if (out.isTTY === true) {
        if (!complete && now() - drawn < EVERY) return;
        drawn = now();
        const share = total === undefined || total === 0 ? 0 : Math.min(1, done / total);
        const bar = '#'.repeat(Math.round(share * BAR)).padEnd(BAR, '-');
        const line = `${what.padEnd(12)} [${bar}] ${done}${total === undefined ? '' : `/${total}`}`;
        out.write(`\r\u001B[K${line.slice(0, (out.columns ?? 80) - 1)}`);
        open = true;
        return;
      }
      const tenth = total === undefined || total === 0 ? 0 : Math.floor((10 * done) / total);
      if (said.get(what) === tenth) return;
      said.set(what, tenth);
      out.write(`${what}: ${done}${total === undefined ? '' : ` of ${total}`}\n`);
    },
    note(says) {
      clear();
      out.write(`${says}\n`);
    },
    end: clear,
  };
}
