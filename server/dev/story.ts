import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { readConfig, type Config } from '../config.ts';
import { bootstrap, type Bootstrapped } from '../bootstrap.ts';
import { serve, type Serving } from '../serve.ts';
import { setupLinkFor } from '../setup-link.ts';
import { connectAgent, textOf, type Agent } from './agent.ts';
import { DnsLab } from './dns.ts';
import { deactivate } from './idp-push.ts';
import { connectCrm, connectDirectory, connectIdp, signedIn, signInAtNorthwind } from './northwind.ts';
import { company, displayName, everybody, groupNames, people, type Person } from './people.ts';
import { tellOfApproval } from './story-approval.ts';
import { tellOfConnectors } from './story-connectors.ts';
import { tellOfBacktest } from './story-backtest.ts';
import { tellOfDirectory } from './story-directory.ts';
import { tellOfReview } from './story-review.ts';
import { tellOfSignIn } from './story-sign-in.ts';
import { tellOfQuarantine } from './story-quarantine.ts';
import { tellOfMerge } from './story-merge.ts';
import { apiOf, expect, type Step, type StepOf } from './story-parts.ts';
import type { Log } from '#kernel/log.ts';

export type Story = {
  serving: Serving;
  founded: Bootstrapped;
  /** Measured by the leaver's own client, from the PATCH being sent. */
  leaver: { streamClosedMs: number; refusedMs: number };
  verified: { before: string; after: string };
  stop(): Promise<void>;
};

const verifier = fileURLToPath(new URL('../../packages/contract/verify.mjs', import.meta.url));

/**
 * The story of the README, told with real parts: a server, an identity provider, a CRM and MCP clients that know nothing of it. Each step
 * checks what it claims and throws if it is not so; nothing here is told that did not happen.
 */
export async function tellStory(
  config: Config,
  log: Log,
  tell: (step: Step) => void,
  /** PostgreSQL's superuser in our database, for the last step; the embedded one is known. */
  superUrl?: string,
): Promise<Story> {
  const closing: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closing.splice(0).toReversed()) await close();
  };
  let number = 0;
  const step: StepOf = async (work) => {
    const from = performance.now();
    const done = await work();
    tell({
      number: ++number,
      says: done.says,
      look: done.look,
      details: done.details ?? [],
      ms: done.ms ?? performance.now() - from,
    });
    return done.value;
  };

  try {
    // The world's names as far as the story needs them: real servers on this machine, under their own root.
    const lab = await DnsLab.start();
    closing.push(() => lab.close());
    const { zone } = await lab.zone(company.domain, 2);
    const { serving, founded } = await step(async () => {
      const serving = await serve({ ...config, dns: readConfig(lab.env, '/').dns }, log, { fresh: true });
      closing.push(() => serving.stop());
      const founded = await bootstrap(serving.opened.world, {
        org: company.name,
        name: displayName(people.owner),
        email: people.owner.email,
      });
      return {
        value: { serving, founded },
        says: `PostgreSQL and the server run; ${company.name} exists and ${displayName(people.owner)} owns it`,
        look: serving.origin,
        details: [`data in ${serving.opened.folder}`],
      };
    });
    const { origin } = serving;
    const api = apiOf(origin, founded);

    await step(async () => {
      const { idp, connection } = await connectIdp(api, origin);
      closing.push(() => idp.stop());
      return {
        value: undefined,
        says: `an identity provider with ${everybody.length} people is connected for sign-in, from its discovery document alone`,
        look: `${idp.ready.url}/.well-known/openid-configuration`,
        details: [`connection ${connection}`],
      };
    });

    const { scim, pushed } = await step(async () => {
      const { scim, pushed } = await connectDirectory(api, origin, everybody);
      return {
        value: { scim, pushed },
        says: `the identity provider has pushed ${pushed.users.size} people and ${pushed.groups.size} groups by SCIM`,
        look: `${origin}/api/orgs/${founded.org}/groups`,
      };
    });

    const { crm, crmPath, connector } = await step(async () => {
      const { crm, connector, tools } = await connectCrm(api, 'crm', 'CRM', pushed);
      closing.push(() => crm.stop());
      const path = `/connectors/${connector}`;
      return {
        value: { crm: crm.ready.url, crmPath: path, connector },
        says: `a CRM is connected: ${tools} tools reviewed; ${groupNames.sales} may read, ${groupNames.leads} may write, nobody may delete`,
        look: `${origin}/api/orgs/${founded.org}${path}/tools`,
      };
    });

    const mcp = `${origin}/mcp/crm`;
    const agentOf = async (person: Person): Promise<Agent> => {
      const agent = await connectAgent(mcp, `${person.given}'s agent`, (at) => signInAtNorthwind(at, person));
      closing.push(() => agent.close());
      return agent;
    };

    const { luca: seller, bianca } = await step(async () => {
      const luca = await agentOf(people.seller);
      const sees = (await luca.client.listTools()).tools.map((t) => t.name).sort();
      expect(sees.join() === 'get_deal,search_accounts,watch_deals', `the seller sees ${sees.join(', ')}`);
      const read = await luca.client.callTool({ name: 'get_deal', arguments: { id: 'deal-2' } });
      expect(read.isError !== true && textOf(read).includes('Stage lights'), `the seller read: ${textOf(read)}`);
      const write = await luca.client.callTool({ name: 'update_deal', arguments: { id: 'deal-2', stage: 'won' } });
      expect(write.isError === true, `the seller could write: ${textOf(write)}`);
      const bianca = await agentOf(people.lead);
      const done = await bianca.client.callTool({ name: 'update_deal', arguments: { id: 'deal-2', stage: 'won' } });
      expect(done.isError !== true && textOf(done).includes('won'), `the sales lead could not write: ${textOf(done)}`);
      const greta = await agentOf(people.unmapped);
      expect((await greta.client.listTools()).tools.length === 0, 'somebody in no mapped group sees tools');
      return {
        value: { luca, bianca },
        says: `${people.seller.given}'s agent found sign-in by itself, sees ${sees.length} of 6 tools, reads a deal, and is refused a change that ${people.lead.given}'s may make`,
        look: mcp,
        details: [
          `refused with: ${textOf(write).split('\n')[0] ?? ''}`,
          `${people.unmapped.given}, in no mapped group, sees no tool at all`,
        ],
      };
    });

    await tellOfReview(step, api, { crm, path: crmPath, look: `${origin}/api/orgs/${founded.org}` }, seller);

    const leaver = await step(async () => {
      const felix = await agentOf(people.leaver);
      let progress = 0;
      const watching = felix.client
        .callTool(
          { name: 'watch_deals', arguments: { seconds: 30 } },
          { onprogress: () => void progress++, timeout: 60_000 },
        )
        .then(
          (r) => textOf(r),
          (e: unknown) => String(e),
        );
      await until(() => progress > 0, 'the open stream said nothing');
      const from = performance.now();
      const closed = watching.then(() => performance.now() - from);
      await deactivate(scim.base, scim.token, pushed.users.get(people.leaver.sub) ?? '', 'entra');
      // A node learns of it at once or, on a busy machine, when it looks again: a second at the most. The call that is refused counts.
      const ask = () =>
        felix.client.callTool({ name: 'get_deal', arguments: { id: 'deal-1' } }).then(
          (r) => r.isError !== true,
          () => false,
        );
      let answered = 0;
      while (answered < 200 && (await ask())) answered++;
      const refusedMs = performance.now() - from;
      expect(answered < 200, 'the leaver was answered again and again');
      const streamClosedMs = await closed;
      expect(streamClosedMs < 25_000, 'the open stream ran to its own end');
      return {
        value: { streamClosedMs, refusedMs },
        says: `${displayName(people.leaver)} was deactivated by one SCIM request: the open stream closed after ${Math.round(streamClosedMs)} ms, calls were refused after ${Math.round(refusedMs)} ms`,
        look: `${origin}/api/orgs/${founded.org}/audit/events`,
        ms: streamClosedMs,
      };
    });

    const verified = await step(async () => {
      const folder = join(serving.opened.folder, 'export');
      mkdirSync(folder, { recursive: true });
      const key = String((await api('GET', '/audit/key'))['key']);
      const older = join(folder, 'checkpoint-older.txt');
      writeFileSync(older, await text(`${origin}/logs/${founded.org}/checkpoint`, founded));
      // Something happens in between, so that there are two different checkpoints to be consistent.
      await api('GET', '/audit/events?limit=1&type=tool.called');
      await serving.settled();
      const check = async (name: string): Promise<{ status: number | null; out: string; file: string }> => {
        const file = join(folder, name);
        writeFileSync(file, await text(`${origin}/api/orgs/${founded.org}/audit/export?format=jsonl`, founded));
        const run = spawnSync(process.execPath, [verifier, file, '--key', key, '--checkpoint', older], {
          encoding: 'utf8',
        });
        return { status: run.status, out: `${run.stdout}${run.stderr}`.trim(), file };
      };
      const before = await check('log.jsonl');
      expect(before.status === 0, `the log does not verify: ${before.out}`);
      const bad = await tamper(
        superUrl ?? serving.opened.embedded?.superUrl.replace(/\/postgres$/, '/gatehouse') ?? '',
        founded.org,
        () => check('log-tampered.jsonl'),
      );
      const first = /position (\d+)/.exec(bad.answer.out)?.[1];
      expect(
        bad.answer.status === 1 && first === String(bad.seq),
        `the verifier did not name position ${bad.seq}: ${bad.answer.out}`,
      );
      const size = /(\d+) event\(s\)/.exec(before.out)?.[1] ?? '?';
      return {
        value: { before: before.out, after: bad.answer.out },
        says: `the log of ${size} events was exported and verified offline; then the database's superuser changed one row, and the verifier named position ${bad.seq}`,
        look: before.file,
        details: [
          `verify it yourself: node packages/contract/verify.mjs ${before.file} --key '${key}'`,
          'the row was put back',
        ],
      };
    });

    await tellOfApproval(step, {
      api,
      connector,
      group: String(pushed.groups.get(groupNames.leads)),
      agent: bianca,
      decider: await signedIn((await setupLinkFor(serving.opened.world, founded.owner)).url),
      origin,
      org: founded.org,
    });

    await tellOfBacktest(step, api, `${origin}/api/orgs/${founded.org}`);
    await tellOfDirectory(step, api, scim, `${origin}/api/orgs/${founded.org}`);

    closing.push(await tellOfSignIn(step, api, founded, origin, zone));
    await tellOfQuarantine(step, api, serving, founded, agentOf);
    closing.push(await tellOfConnectors(step, api, serving, founded));
    const setupLink = await tellOfMerge(step, serving.opened.world, founded);

    return { serving, founded: { ...founded, setupLink }, leaver, verified, stop };
  } catch (e) {
    await stop();
    throw e;
  }
}

async function text(url: string, f: Bootstrapped): Promise<string> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${f.apiKey}` } });
  const got = await answer.text();
  if (!answer.ok) throw new Error(`${url} was answered ${answer.status}: ${got}`);
  return got;
}

async function until(holds: () => boolean, otherwise: string): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (holds()) return;
    await new Promise((r) => setTimeout(r, 25));
  }
  expect(false, otherwise);
}

/** As PostgreSQL's superuser, who is past every rule of ours: makes one refusal look like an answer, runs `look`, and puts it back. */
async function tamper<T>(superUrl: string, log: string, look: () => Promise<T>): Promise<{ seq: number; answer: T }> {
  const client = new pg.Client({ connectionString: superUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ seq: string; header: unknown }>(
      `select seq, header from audit_event where log = $1 and header->>'disposition' = 'denied' order by seq limit 1`,
      [log],
    );
    const row = rows[0];
    expect(row !== undefined, 'no refusal is in the log');
    await client.query(
      `update audit_event set header = jsonb_set(header, '{disposition}', '"returned"') where log = $1 and seq = $2`,
      [log, row.seq],
    );
    const answer = await look();
    await client.query(`update audit_event set header = $3 where log = $1 and seq = $2`, [
      log,
      row.seq,
      JSON.stringify(row.header),
    ]);
    return { seq: Number(row.seq), answer };
  } finally {
    await client.end();
  }
}
