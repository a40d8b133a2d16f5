import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { makeEgress } from '@gatehouse/server/kernel/egress.ts';
import { silentLog } from '@gatehouse/server/kernel/log.ts';
import { Problem } from '@gatehouse/server/kernel/problem.ts';
import { makeProgress, noProgress, type Progress } from '../scim/progress.ts';
import { text, texts, tokenFrom, type Values } from '../scim/scim-options.ts';
import { printable } from '../scim/snapshot.ts';
import type { Terminal } from '../scim/run-scim.ts';
import { systemTimers, type Timers } from '../scim/patience.ts';
import { openApi, type OrgApi } from './api.ts';
import { EXIT, Refusal, usage } from './exit.ts';

/** What a command works with. */
export type Session = {
  api: OrgApi;
  progress: Progress;
  timers: Timers;
  /** The answer: text for people, or with --json a document for machines. */
  answer(lines: readonly string[], document: unknown): void;
  /** Text as it is, for --csv. */
  out(text: string): void;
};

export type PolicyCommand = {
  help: string;
  options: ParseArgsOptionsConfig;
  /** Reads what needs no server, so that a mistake is told before anything is sent. */
  prepare(v: Values): (s: Session) => Promise<number>;
};

const shared = {
  url: { type: 'string' },
  'token-file': { type: 'string' },
  'token-env': { type: 'string' },
  'allow-private': { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

const sharedHelp = `  --url URL             the organization's API, as bootstrap printed it: https://gate.example.com/api/orgs/org_…
  --token-file FILE     where an API key is that has the permission which the command needs; or
  --token-env NAME      the environment variable that holds it
  --allow-private HOST  a host inside your network (or HOST:PORT) that may be asked, also by plain http; may be repeated
  --json                answer with one JSON document on stdout
Exit status: 0 done, 1 failed, 2 not understood, 3 with --check: not as hoped.`;

const terminal: Terminal = {
  out: (line) => console.log(line),
  err: process.stderr,
  // The variable is named by its user: a token is read from the variable that --token-env gives.
  environment: process.env,
  timers: systemTimers,
};

/** Runs one of the commands from its arguments to its exit status. No refusal leaves here as a stack. */
export async function runPolicy(c: PolicyCommand, args: readonly string[], term: Terminal = terminal): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    term.out(`${c.help}\n\nEvery command:\n${sharedHelp}`);
    return EXIT.ok;
  }
  const json = args.includes('--json');
  try {
    const v = flags(args, c.options);
    const work = c.prepare(v);
    return await withApi(v, term, json, work);
  } catch (e) {
    const r =
      e instanceof Refusal
        ? e
        : e instanceof Problem
          ? new Refusal(e.code === 'scim/usage' ? EXIT.usage : EXIT.failed, e.code, e.says, e.fix)
          : new Refusal(
              EXIT.failed,
              'policy/bug',
              e instanceof Error ? e.message : String(e),
              'run it again; if it stays, report it',
            );
    const says = r.says.split('\n').map(printable).join('\n');
    term.err.write(`gatehouse: ${says}${r.fix === undefined ? '' : `\nTo do: ${printable(r.fix)}`}\n`);
    if (json) term.out(JSON.stringify({ ok: false, problem: { code: r.code, says: r.says, fix: r.fix ?? null } }));
    return r.status;
  }
}

/** A token on the command line would be in the process list and the shell's history, so there is no such flag. */
function flags(args: readonly string[], own: ParseArgsOptionsConfig): Values {
  if (args.some((a) => a === '--token' || a.startsWith('--token=')))
    throw usage(
      'a token on the command line can be read by everybody on this machine',
      'put it into a file that only you can read and give --token-file FILE, or name a variable with --token-env NAME',
    );
  try {
    return parseArgs({ args: [...args], options: { ...shared, ...own }, strict: true }).values;
  } catch (e) {
    throw usage(e instanceof Error ? e.message.replace(/\. To specify.*$/s, '') : 'these arguments cannot be read');
  }
}

async function withApi(
  v: Values,
  term: Terminal,
  json: boolean,
  work: (s: Session) => Promise<number>,
): Promise<number> {
  const url = text(v, 'url');
  if (url === undefined) throw usage("--url is missing: the organization's API, as bootstrap printed it");
  const { token, warnings } = tokenFrom(v, term.environment, usage);
  for (const w of warnings) term.err.write(`gatehouse: ${printable(w)}\n`);
  // A program that reads our JSON has no use for a bar; a person in front of a terminal may do both.
  const progress = json && term.err.isTTY !== true ? noProgress : makeProgress(term.err, term.timers.now);
  const egress = makeEgress({ log: silentLog });
  try {
    return await work({
      api: openApi({ url, key: token, egress, allowPrivate: texts(v, 'allow-private') }),
      progress,
      timers: term.timers,
      answer(lines, document) {
        progress.end();
        if (json) term.out(JSON.stringify(document, null, 2));
        else for (const l of lines) term.out(printable(l));
      },
      out: (all) => term.out(all),
    });
  } finally {
    progress.end();
    await egress.close();
  }
}
