import { challengeHost, challengeValue, readTxt, type Challenge, type TxtMeans } from './challenge.ts';
import { storable } from './evidence.ts';
import type { FaultCode, Finding } from './fault.ts';
import type { Seen } from './look-up-challenge.ts';
import type { Observation, Outcome } from './walk-names.ts';

/** What a check came to. `atSource`: the zone's own servers have the record, whatever the rest of the world sees. */
export type Verdict =
  | { proved: true; atSource: true; where: string[]; resolvers: number }
  | { proved: false; atSource: boolean; finding: Finding };

type Answer = Extract<Outcome, { kind: 'answer' }>;
type Failed = Extract<Outcome, { kind: 'failed' }>;
/** One server, over the two names at which the record may be. */
type Server = {
  server: string;
  seen: Observation | undefined;
  failed: (Observation & { outcome: Failed }) | undefined;
  all: Observation[];
};

const isAnswer = (o: Observation): o is Observation & { outcome: Answer } => o.outcome.kind === 'answer';
const isFailed = (o: Observation): o is Observation & { outcome: Failed } => o.outcome.kind === 'failed';
const means = (c: Challenge, o: Observation, what: TxtMeans): boolean =>
  o.outcome.kind === 'answer' && o.outcome.txts.some((t) => readTxt(c, t) === what);

function byServer(c: Challenge, observations: readonly Observation[], role: Observation['role']): Server[] {
  const of = Map.groupBy(
    observations.filter((o) => o.role === role),
    (o) => o.server,
  );
  return [...of].map(([server, all]) => ({
    server,
    all,
    seen: all.find((o) => means(c, o, 'token')),
    failed: all.find(isFailed),
  }));
}

/** Says whether a domain is proved by what was seen, and if not, the one reason that helps most. Pure. */
export function judgeChallenge(c: Challenge, { observations, astray, wildcard }: Seen): Verdict {
  const source = byServer(c, observations, 'authoritative');
  const resolvers = byServer(c, observations, 'recursive');
  const fault = (
    code: FaultCode,
    record: string,
    where: readonly string[],
    found: string,
    ttl: number | null = null,
  ): Finding => ({
    code,
    record,
    where: storable(where.join(', ')),
    expected: challengeValue(c),
    found: storable(found, 600),
    ttl,
  });
  const host = challengeHost(c.name);
  const has = source.filter((s) => s.seen);
  const lacks = source.filter((s) => !s.seen && !s.failed);
  const bogus = resolvers.find((r) => !r.seen && r.failed?.outcome.why === 'dnssec_bogus');

  if (has.length > 0) {
    const no = (finding: Finding): Verdict => ({ proved: false, atSource: true, finding });
    const record = has[0]?.seen?.name ?? host;
    if (lacks.length > 0)
      return no(
        fault(
          'propagating',
          record,
          lacks.map((s) => s.server),
          `${names(has)} has it; ${names(lacks)} still has an older zone`,
          ttlOf(lacks, record),
        ),
      );
    // Its zone says yes and a validating resolver says forged or broken: whoever validates does not see it, and we might see a forgery.
    if (bogus) return no(bogusFault(bogus));
    const old = resolvers.filter((r) => !r.seen && !r.failed);
    if (old.length > 0) {
      const ttl = ttlOf(old, record);
      return no(
        fault(
          'propagating',
          record,
          old.map((r) => r.server),
          `the zone's servers have it; ${names(old)} remembers an older answer for up to ${ttl} s`,
          ttl,
        ),
      );
    }
    const failing = resolvers.find((r) => r.failed);
    if (resolvers.length > 0 && !resolvers.some((r) => r.seen) && failing?.failed) return no(failure(failing.failed));
    return {
      proved: true,
      atSource: true,
      where: has.map((s) => s.server),
      resolvers: resolvers.filter((r) => r.seen).length,
    };
  }

  const no = (finding: Finding): Verdict => ({ proved: false, atSource: false, finding });
  if (lacks.length === 0) {
    if (bogus) return no(bogusFault(bogus));
    const worst = (['truncated', 'servfail', 'refused', 'timeout'] as const)
      .map((why) => source.find((s) => s.failed?.outcome.why === why)?.failed)
      .find((f) => f !== undefined);
    return no(worst ? failure(worst) : fault('timeout', host, ['the root servers'], 'no server to ask'));
  }
  const cached = resolvers.filter((r) => r.seen);
  if (cached.length > 0)
    return no(
      fault(
        'split_horizon',
        host,
        [...lacks, ...cached].map((s) => s.server),
        `${names(cached)} has it; ${names(lacks)}, which serves the zone, does not`,
      ),
    );
  return no(absent(c, lacks, { astray, wildcard }, fault));

  function failure(o: Observation & { outcome: Failed }): Finding {
    return fault(o.outcome.why, o.name, [o.server], o.outcome.found);
  }
  function bogusFault(r: Server): Finding {
    return fault('dnssec_bogus', r.failed?.name ?? host, [r.server], r.failed?.outcome.found ?? 'SERVFAIL');
  }
}

/** The zone's servers answer, and the record is not there: what is there instead? */
function absent(
  c: Challenge,
  servers: readonly Server[],
  { astray, wildcard }: Pick<Seen, 'astray' | 'wildcard'>,
  fault: (code: FaultCode, record: string, where: readonly string[], found: string, ttl?: number | null) => Finding,
): Finding {
  const host = challengeHost(c.name);
  const where = servers.map((s) => s.server);
  const answers = servers.flatMap((s) => s.all).filter(isAnswer);
  const atHost = answers.filter((o) => o.name === host);
  const atDomain = answers.filter((o) => o.name === c.name);
  const ttl = atHost[0]?.outcome.ttl ?? null;
  const text = (what: TxtMeans): { o: Observation; t: string } | undefined =>
    answers.flatMap((o) => o.outcome.txts.map((t) => ({ o, t }))).find(({ t }) => readTxt(c, t) === what);

  const quoted = text('quoted');
  if (quoted) return fault('quoted_value', quoted.o.name, where, quoted.t, ttl);
  const [wrong] = astray;
  if (wrong !== undefined) return fault('record_on_wrong_name', host, where, `the record is at ${wrong}`, ttl);
  const foreign = text('foreign');
  if (foreign)
    return fault('token_other_parent', foreign.o.name, where, 'a verification record of another organization', ttl);
  const old = text('old');
  if (old) return fault('token_old', old.o.name, where, old.t, ttl);
  const alias = atHost.find((o) => o.outcome.aliases.length > 0);
  if (alias && alias.outcome.txts.length === 0)
    return fault(
      'cname_target_no_txt',
      host,
      where,
      wildcard
        ? `an alias of every name of the domain (a wildcard) to ${alias.outcome.aliases[0] ?? ''}; it was not made for this and proves nothing`
        : `an alias to ${alias.outcome.aliases.join(' -> ')}, where no TXT record is`,
      ttl,
    );
  const others = [...new Set(atHost.flatMap((o) => o.outcome.txts))];
  if (others.length > 0)
    return fault(
      'txt_present_no_token',
      host,
      where,
      `${others.length} other TXT ${others.length === 1 ? 'record' : 'records'}: ${others.map((t) => `"${t.slice(0, 80)}"`).join(', ')}`,
      ttl,
    );
  if (atDomain.length > 0 && atDomain.every((o) => o.outcome.rcode === 'NXDOMAIN'))
    return fault('nxdomain', c.name, where, `NXDOMAIN: ${c.name} does not exist`, atDomain[0]?.outcome.ttl ?? null);
  const beside = new Set(atDomain.flatMap((o) => o.outcome.txts)).size;
  const rcode = atHost[0]?.outcome.rcode === 'NXDOMAIN' ? 'NXDOMAIN' : 'no TXT records';
  return fault(
    'no_txt',
    host,
    where,
    beside > 0
      ? `${rcode}; ${beside} TXT ${beside === 1 ? 'record' : 'records'} about other things on ${c.name} itself`
      : rcode,
    ttl,
  );
}

const names = (servers: readonly Server[]): string => servers.map((s) => s.server).join(' and ');
/** For how long the longest of these may go on saying what it says about a name. */
const ttlOf = (servers: readonly Server[], name: string): number =>
  Math.max(
    0,
    ...servers.flatMap((s) => s.all.map((o) => (o.name === name && o.outcome.kind === 'answer' ? o.outcome.ttl : 0))),
  );
