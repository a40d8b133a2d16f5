import type { ParseArgsOptionsConfig } from 'node:util';
import { makeEgress } from '@gatehouse/server/kernel/egress.ts';
import { silentLog } from '@gatehouse/server/kernel/log.ts';
import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { EXIT, exitOf } from './exit.ts';
import { noJournal, openJournal } from './journal.ts';
import { systemTimers, type Timers } from './patience.ts';
import { settleProfile } from './profile.ts';
import { probeTarget } from './probe.ts';
import { makeProgress, noProgress, type Progress } from './progress.ts';
import { parseFlags, sharedHelp, targetFlags, type Values } from './scim-options.ts';
import { printable } from './snapshot.ts';
import { openTarget, type Target } from './target.ts';

/** Where a command reads and writes; a test gives its own. */
export type Terminal = {
  out(line: string): void;
  err: { write(text: string): unknown; isTTY?: boolean | undefined; columns?: number | undefined };
  environment: Readonly<Record<string, string | undefined>>;
  timers: Timers;
};

const terminal: Terminal = {
  out: (line) => console.log(line),
  err: process.stderr,
  // The one command whose variable is named by its user: a token is read from the variable that --token-env gives.
  environment: process.env,
  timers: systemTimers,
};

/** What a command works with once its target has been opened and probed. */
export type Session = {
  target: Target;
  progress: Progress;
  json: boolean;
  /** The answer: text for people, or with --json a document for machines. */
  answer(lines: readonly string[], document: unknown): void;
  /** What the probe saw. */
  notes: readonly string[];
};

export type ScimCommand = {
  help: string;
  options: ParseArgsOptionsConfig;
  /** Reads what needs no target and returns the rest, so that a mistake in a file is told before anything is sent. */
  prepare(v: Values): (s: Session) => Promise<number>;
};

/** Runs one of the five commands from its arguments to its exit status. No refusal leaves here as a stack. */
export async function runScim(c: ScimCommand, args: readonly string[], term: Terminal = terminal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    term.out(`${c.help}\n\nEvery command:\n${sharedHelp}`);
    return EXIT.ok;
  }
  const json = args.includes('--json');
  try {
    const values = parseFlags(args, c.options);
    const work = c.prepare(values);
    return await withTarget(values, term, json, work);
  } catch (e) {
    const p =
      e instanceof Problem
        ? e
        : new Problem('bug', 'scim/bug', {
            says: e instanceof Error ? e.message : String(e),
            fix: 'run it again; if it stays, report it',
          });
    const says = p.says.split('\n').map(printable).join('\n');
    term.err.write(`gatehouse: ${says}${p.fix === undefined ? '' : `\nTo do: ${printable(p.fix)}`}\n`);
    if (json) term.out(JSON.stringify({ ok: false, problem: { code: p.code, says: p.says, fix: p.fix ?? null } }));
    return exitOf(p);
  }
}

async function withTarget(
  values: Values,
  term: Terminal,
  json: boolean,
  work: (s: Session) => Promise<number>,
): Promise<number> {
  const flags = targetFlags(values, term.environment);
  // A program that reads our JSON has no use for a bar; a person in front of a terminal may do both.
  const progress = json && term.err.isTTY !== true ? noProgress : makeProgress(term.err, term.timers.now);
  for (const w of flags.warnings) term.err.write(`gatehouse: ${printable(w)}\n`);
  const egress = makeEgress({ log: silentLog });
  try {
    const target = openTarget({
      url: flags.url,
      token: flags.token,
      egress,
      allowPrivate: flags.allowPrivate,
      journal: flags.journal === undefined ? noJournal : openJournal(flags.journal, flags.token, term.timers.now),
      timers: term.timers,
      maxWaitMs: flags.maxWaitMs,
      tell: (says) => progress.note(printable(says)),
    });
    // What the operator says holds for the probe, too.
    target.profile = settleProfile({}, flags.wish);
    const probed = await probeTarget(target, flags.wish);
    target.profile = settleProfile(probed.profile, flags.wish);
    return await work({
      target,
      progress,
      json,
      notes: probed.notes,
      answer(lines, document) {
        progress.end();
        if (json) term.out(JSON.stringify(document, null, 2));
        else for (const l of lines) term.out(printable(l));
      },
    });
  } finally {
    progress.end();
    await egress.close();
  }
}
