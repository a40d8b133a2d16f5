import { z } from 'zod';
import { readGiven, text, whole } from '../scim/scim-options.ts';
import type { OrgApi } from './api.ts';
import { EXIT, Refusal, usage } from './exit.ts';
import type { PolicyCommand, Session } from './run-policy.ts';

const Lines = <T extends z.ZodRawShape>(of: T) =>
  z.looseObject({
    items: z.array(z.looseObject({ ...of, from: z.string(), to: z.string(), calls: z.number() })),
    more: z.number(),
  });
const Backtest = z.looseObject({
  id: z.string(),
  state: z.enum(['waiting', 'running', 'done', 'cancelled', 'failed']),
  calls: z.number(),
  seen: z.number(),
  says: z.string().nullable(),
  report: z
    .looseObject({
      calls: z.number(),
      changed: z.number(),
      notAsked: z.number(),
      unknown: z.record(z.string(), z.number()),
      changes: z.array(
        z.looseObject({
          from: z.string(),
          to: z.string(),
          calls: z.number(),
          ran: z.number(),
          examples: z.array(
            z.looseObject({
              call: z.string(),
              at: z.string(),
              person: z.string().nullable(),
              user: z.string(),
              tool: z.string(),
            }),
          ),
        }),
      ),
      policies: Lines({ policy: z.string(), name: z.string().optional() }),
      tools: Lines({ tool: z.string() }),
      people: Lines({ user: z.string(), person: z.string().nullable() }),
    })
    .nullable(),
});
type Backtest = z.infer<typeof Backtest>;

/** Between two looks at how far it is, in milliseconds. */
const LOOK_MS = 1000;
/** Examples of each kind of change that are printed; --json has them all. */
const SHOWN = 5;

async function followed({ api, progress, timers }: Session, id: string): Promise<Backtest> {
  for (;;) {
    const b = await api.ask('GET', `/policy/backtests/${id}`, Backtest);
    progress.step('backtest', b.seen, b.state === 'waiting' ? undefined : b.calls);
    if (b.state !== 'waiting' && b.state !== 'running') return b;
    await timers.sleep(LOOK_MS);
  }
}

function linesOf(b: Backtest): string[] {
  const r = b.report;
  if (!r) return [`${b.id} is ${b.state}${b.says === null ? '' : `: ${b.says}`}`];
  const unknown = Object.entries(r.unknown).filter(([, n]) => n > 0);
  return [
    `${r.changed} of ${r.calls} calls would come out otherwise`,
    ...(r.notAsked > 0 ? [`${r.notAsked} ended before policy was asked`] : []),
    ...unknown.map(([why, n]) => `${n} are not known (${why.replace('_', ' ')})`),
    ...r.changes.flatMap((c) => [
      `${c.from} -> ${c.to}: ${c.calls} calls, ${c.ran} of them had been answered`,
      ...c.examples.slice(0, SHOWN).map((e) => `  ${e.call}  ${e.at}  ${e.person ?? e.user}  ${e.tool}`),
    ]),
    ...r.policies.items.map((p) => `by ${p.name ?? p.policy}: ${p.calls} (${p.from} -> ${p.to})`),
  ];
}

const ended = (b: Backtest, check: boolean): number => {
  if (b.state !== 'done') return EXIT.failed;
  return check && (b.report?.changed ?? 0) > 0 ? EXIT.differs : EXIT.ok;
};

const start = (api: OrgApi, body: object): Promise<Backtest> => api.ask('POST', '/policy/backtests', Backtest, body);

/** `gatehouse policy backtest`: what a draft would have changed. */
export const backtestCommand: PolicyCommand = {
  help: `gatehouse policy backtest --draft FILE [--days N]     start one and wait for its report
gatehouse policy backtest --id bkt_… [--cancel]       look at one, or end it
Asks the recorded calls of the last days of a draft of the policies and says what would change, with examples. The key needs
the permission policy.read.
  --draft FILE          JSON: {"changes": [{"kind": "add_rule", "rule": {…}}, {"kind": "remove_rule", "rule": "rul_…"}, …]}
  --days N              how far back (default 7)
  --no-wait             print the id and end
  --check               exit with 3 if any call would come out otherwise`,
  options: {
    draft: { type: 'string' },
    days: { type: 'string' },
    id: { type: 'string' },
    cancel: { type: 'boolean' },
    'no-wait': { type: 'boolean' },
    check: { type: 'boolean' },
  },
  prepare(v) {
    const [file, id, check] = [text(v, 'draft'), text(v, 'id'), v['check'] === true];
    if ((file === undefined) === (id === undefined)) throw usage('give one of --draft FILE and --id bkt_…');
    if (id !== undefined) {
      const cancel = v['cancel'] === true;
      return async (s) => {
        const b = cancel
          ? await s.api.ask('POST', `/policy/backtests/${id}/cancel`, Backtest, {})
          : await followed(s, id);
        s.answer(linesOf(b), b);
        return cancel ? EXIT.ok : ended(b, check);
      };
    }
    const draft = draftIn(file ?? '');
    const days = whole(v, 'days');
    return async (s) => {
      const begun = await start(s.api, { draft, ...(days === undefined ? {} : { days }) });
      if (v['no-wait'] === true) {
        s.answer([begun.id], begun);
        return EXIT.ok;
      }
      const b = await followed(s, begun.id);
      s.answer(linesOf(b), b);
      return ended(b, check);
    };
  },
};

function draftIn(file: string): unknown {
  const given = readGiven(file, 'the draft');
  try {
    return JSON.parse(given);
  } catch (e) {
    throw new Refusal(
      EXIT.usage,
      'policy/usage',
      `the draft ${file} is not JSON: ${e instanceof Error ? e.message : 'unknown'}`,
    );
  }
}
