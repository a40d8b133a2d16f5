import { closeSync, fsyncSync, ftruncateSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { Problem } from '@gatehouse/server/kernel/problem.ts';
import type { Plan } from './plan-file.ts';

export type Done = { how: 'applied' | 'already'; id: string | undefined };

/** What of a plan has been done, on disk before anybody is told. */
export type State = {
  done: ReadonlyMap<number, Done>;
  /** Sent, perhaps: these are looked at before they are sent again. */
  begun: ReadonlySet<number>;
  begin(ns: readonly number[]): void;
  finish(ns: readonly number[], done: Done): void;
  /** Many at once, each with its own id. */
  finishAll(all: ReadonlyMap<number, Done>): void;
  /** The target said yes and did not do it. */
  reopen(ns: readonly number[]): void;
  close(): void;
};

const Line = z.union([
  z.strictObject({ plan: z.string(), made: z.string(), base: z.string() }),
  z.strictObject({ begun: z.array(z.int()) }),
  z.strictObject({ done: z.array(z.int()), how: z.enum(['applied', 'already']), id: z.string().optional() }),
  z.strictObject({ reopened: z.array(z.int()) }),
]);

/**
 * Where the memory of a plan is, beside it. Named after the time it was made, too: the same plan made again on another day is to be done
 * again, because somebody has undone it.
 */
export const stateFileOf = (planFile: string, plan: Plan): string =>
  `${planFile}.${plan.hash.slice(0, 8)}-${plan.made.replaceAll(/\D/g, '')}.state`;

/**
 * Opens the memory of one apply: lines of JSON, each synced before the next step. A last line without an end was being written when we were
 * killed and is dropped. INVARIANT (one at a time): a second apply of the same plan is refused while the first one lives.
 */
export function openState(file: string, plan: Plan): State {
  const unlock = lock(`${file}.lock`);
  try {
    const done = new Map<number, Done>();
    const begun = new Set<number>();
    const fd = openSync(file, 'a+', 0o600);
    const text = readFileSync(file, 'utf8');
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    ftruncateSync(fd, Buffer.byteLength(whole));
    const lines = whole.split('\n').filter((l) => l !== '');
    for (const [i, l] of lines.entries()) {
      const line = parsedLine(file, i, l);
      if ('plan' in line && (line.plan !== plan.hash || line.made !== plan.made || line.base !== plan.base))
        throw new Problem('conflict', 'scim/other-state', {
          says: `${file} is the state of another plan, made at ${line.made}`,
          fix: 'name another file with --state, or remove this one if that plan is of no interest any more',
        });
      if ('begun' in line) for (const n of line.begun) begun.add(n);
      if ('done' in line) for (const n of line.done) done.set(n, { how: line.how, id: line.id });
      if ('reopened' in line) for (const n of line.reopened) done.delete(n);
    }
    const write = (...all: z.infer<typeof Line>[]): void => {
      writeSync(fd, all.map((l) => `${JSON.stringify(l)}\n`).join(''));
      fsyncSync(fd);
    };
    const doneLine = (ns: readonly number[], d: Done): z.infer<typeof Line> => ({
      done: [...ns],
      how: d.how,
      ...(d.id === undefined ? {} : { id: d.id }),
    });
    if (lines.length === 0) write({ plan: plan.hash, made: plan.made, base: plan.base });
    return {
      done,
      begun,
      begin(ns) {
        write({ begun: [...ns] });
        for (const n of ns) begun.add(n);
      },
      finish(ns, d) {
        if (ns.length === 0) return;
        write(doneLine(ns, d));
        for (const n of ns) done.set(n, d);
      },
      finishAll(all) {
        if (all.size === 0) return;
        write(...[...all].map(([n, d]) => doneLine([n], d)));
        for (const [n, d] of all) done.set(n, d);
      },
      reopen(ns) {
        write({ reopened: [...ns] });
        for (const n of ns) done.delete(n);
      },
      close() {
        closeSync(fd);
        unlock();
      },
    };
  } catch (e) {
    unlock();
    throw e;
  }
}

function parsedLine(file: string, i: number, text: string): z.infer<typeof Line> {
  try {
    return Line.parse(JSON.parse(text));
  } catch (e) {
    throw new Problem('invalid', 'scim/broken-state', {
      says: `line ${i + 1} of ${file} is not what apply wrote there`,
      fix: 'restore the file, or remove it: apply then looks at the target to see what is done',
      because: e,
    });
  }
}

/** A lock of a process that is gone is taken over. */
function lock(file: string): () => void {
  for (let i = 0; i < 2; i++)
    try {
      const fd = openSync(file, 'wx', 0o600);
      writeSync(fd, String(process.pid));
      closeSync(fd);
      return () => rmSync(file, { force: true });
    } catch (e) {
      if (!(e instanceof Error && 'code' in e && e.code === 'EEXIST')) throw e;
      const pid = Number(readFileSync(file, 'utf8')) || 0;
      if (pid !== 0 && runs(pid))
        throw new Problem('conflict', 'scim/already-running', {
          says: `this plan is being applied by the process ${pid}`,
          fix: `wait for it; if it is something else, remove ${file}`,
        });
      rmSync(file, { force: true });
    }
  throw new Problem('conflict', 'scim/already-running', {
    says: 'this plan is being applied by another process',
    fix: 'wait for it',
  });
}

const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return e instanceof Error && 'code' in e && e.code === 'EPERM';
  }
};
