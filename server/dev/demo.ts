import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Id } from '#kernel/id.ts';
import { makeLog } from '#kernel/log.ts';
import { Problem } from '#kernel/problem.ts';
import { environment, readConfig } from '../config.ts';
import { setupLinkFor } from '../setup-link.ts';
import { addAuditor, auditor, userOf } from './auditor.ts';
import { displayName, people } from './people.ts';
import { tellStory } from './story.ts';

// `npm run demo`: the story of the README. It stays up to be explored; `-- --once` ends with a status instead.
const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const folder = fileURLToPath(new URL('../../.gatehouse/demo', import.meta.url));

/** 7400 if it is free, else any: two demos side by side must both work. */
const port = await new Promise<number>((resolve) => {
  const probe = createServer();
  probe.once('error', () => resolve(0));
  probe.listen(7400, '127.0.0.1', () => probe.close(() => resolve(7400)));
});

// The client library remarks on standard error that the leaver's token no longer refreshes; the story tells that in its own words.
const warn = console.warn.bind(console);
console.warn = (...said: unknown[]) => {
  if (!String(said[0]).startsWith('[mcp-sdk]')) warn(...said);
};
const began = performance.now();
const seconds = (ms: number): string =>
  (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`).padStart(7);
const out = (line: string): void => void process.stdout.write(`${line}\n`);

out('\nGatehouse: who may use which tool, who must say yes, and proof of what happened.');
out('Everything below is real: PostgreSQL, OpenID Connect, SAML, SCIM, DNS, OAuth, MCP.\n');
try {
  const env = Object.fromEntries(Object.entries(environment()).filter(([k]) => !/^(GATEHOUSE_|DATABASE_)/.test(k)));
  const config = readConfig(
    {
      ...env,
      GATEHOUSE_DATA: folder,
      GATEHOUSE_PORT: String(port),
      GATEHOUSE_DYNAMIC_REGISTRATION: 'on',
      GATEHOUSE_LOG_LEVEL: 'error',
    },
    folder,
  );
  const story = await tellStory(config, makeLog('error'), (s) => {
    out(`${s.number}  ${seconds(s.ms)}  ${s.says}\n            ${s.look}`);
    for (const d of s.details) out(`            ${d}`);
    out('');
  });
  out(`Told in ${seconds(performance.now() - began).trim()}.`);
  if (values.once) {
    await story.stop();
    process.exit(0);
  }
  const { origin } = story.serving;
  const { org } = story.founded;
  const linkOf = async (user: Id<'usr'>): Promise<string> => (await setupLinkFor(story.serving.opened.world, user)).url;
  const seller = await userOf(origin, story.founded, people.seller.email);
  out(`
It stays up until you press Ctrl-C. The portal is open: ${origin}/portal/${org}
Each link lets you in once, as
  ${displayName(people.owner)}, the owner       ${story.founded.setupLink}
  ${displayName(people.seller)}, an employee        ${await linkOf(seller)}
  ${auditor.displayName}, an auditor             ${await linkOf(await addAuditor(origin, story.founded))}
To look around further:
  the API, with the key        curl -H 'authorization: Bearer ${story.founded.apiKey}' ${origin}/api/orgs/${org}/audit/events
  its reference                ${origin}/api/openapi.json
  with an agent of yours       claude mcp add --transport http crm ${origin}/mcp/crm     (sign in as ${displayName(people.seller)})
`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      out('Stopping.');
      void story.stop().then(() => process.exit(0));
    });
} catch (e) {
  if (e instanceof Problem) out(`\nThe demo cannot run: ${e.says}\n${e.fix ?? ''}`);
  else process.stderr.write(`\nThe demo failed: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}\n`);
  process.exit(1);
}
