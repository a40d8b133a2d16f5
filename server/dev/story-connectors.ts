import { parseId } from '#kernel/id.ts';
import type { Bootstrapped } from '../bootstrap.ts';
import type { Serving } from '../serve.ts';
import { setupLinkFor } from '../setup-link.ts';
import { connectAgent, textOf, type Agent } from './agent.ts';
import { connectVendor, signedIn, signInWith } from './northwind.ts';
import { expect, list, type Api, type StepOf } from './story-parts.ts';
import { startGitHub } from './vendors/github.ts';
import { startGoogleDrive } from './vendors/google-drive.ts';
import { startSlack } from './vendors/slack.ts';

/**
 * Three systems of the catalogue, their vendors standing in on this machine: a person lets Gatehouse read her Drive, and the organization gives its
 * own accounts for Slack and GitHub, for which nobody consents. Returns how to end the vendors.
 */
export async function tellOfConnectors(
  step: StepOf,
  api: Api,
  { opened: { world }, settled, origin }: Pick<Serving, 'opened' | 'settled' | 'origin'>,
  f: Bootstrapped,
): Promise<() => Promise<void>> {
  const [drive, slack, github] = await Promise.all([startGoogleDrive(), startSlack(), startGitHub()]);
  const agents: Agent[] = [];
  const stop = async (): Promise<void> => {
    for (const a of agents) await a.close();
    await Promise.all([drive, slack, github].map((v) => v.close()));
  };
  try {
    // She has accounts at the vendors under this address, as the stand-ins' worlds have it.
    const added = await api('POST', '/members', { email: 'ada@acme.example', displayName: 'Ada Ampere', role: 'user' });
    const user = parseId('usr', String(added['user']));
    if (!user) throw new Error('the story is not true: nobody was added');
    const browser = await signedIn((await setupLinkFor(world, user)).url);
    const agentFor = async (slug: string): Promise<Agent> => {
      const agent = await connectAgent(`${origin}/mcp/${slug}`, "Ada's agent", (at) => signInWith(browser, at));
      agents.push(agent);
      return agent;
    };
    const asked = async (agent: Agent, name: string, args: Record<string, unknown>): Promise<string> =>
      textOf(await agent.client.callTool({ name, arguments: args }));

    await step(async () => {
      const id = await connectVendor(api, 'google-drive', drive);
      drive.registerRedirect(`${origin}/connections/callback/${id}`);
      await api('PUT', `/connectors/${id}/app`, { ...drive.app });
      const agent = await agentFor('google-drive');
      const refused = await asked(agent, 'read_file', { file_id: 'textQuote' });
      expect(refused.includes(`/connections/start/${id}`), `before connecting it says: ${refused}`);
      await browser.open(`${origin}/connections/start/${id}`);
      await browser.submit(/Connect to read/);
      await browser.follow(/Continue/);
      expect(browser.text().includes('ada@acme.example'), `connecting ended with: ${browser.text()}`);
      const quote = await asked(agent, 'read_file', { file_id: 'textQuote' });
      expect(quote.includes('Quote for 10 lamps'), `the agent read: ${quote}`);
      return {
        value: undefined,
        says: "Google Drive was added to read. Ada's agent was told where to connect, she agreed at Google, and it reads her files; the token stays sealed here",
        look: `${origin}/connections`,
        details: [`before: ${refused.split('\n')[0] ?? ''}`],
      };
    });

    await step(async () => {
      const organization = { actAs: 'organization' };
      const chat = await connectVendor(api, 'slack', slack, organization);
      const code = await connectVendor(api, 'github', github, organization);
      for (const [id, vendor] of [[chat, slack] as const, [code, github] as const])
        for (const [kind, fields] of Object.entries(vendor.accounts))
          await api('PUT', `/connectors/${id}/account`, { kind, fields });
      const channels = await asked(await agentFor('slack'), 'list_channels', {});
      expect(channels.includes('general'), `the agent sees the channels: ${channels}`);
      const agent = await agentFor('github');
      const at = { repository: 'acme/website' };
      const file = await asked(agent, 'read_file', { ...at, path: 'src/index.ts' });
      expect(file.includes('port = 8080'), `the agent read: ${file}`);
      const secret = await asked(agent, 'read_file', { ...at, path: '.env' });
      expect(/withheld/i.test(secret) && !/=\s*\S/.test(secret), `of .env the agent read: ${secret}`);
      await settled();
      const events = list((await api('GET', '/audit/events?limit=20&type=tool.finished'))['events']);
      const connectors = new Set(
        events.map((e) => String((e['data'] as { connector?: string } | undefined)?.connector)),
      );
      expect(connectors.has(chat) && connectors.has(code), 'the log does not have the calls');
      return {
        value: undefined,
        says: "Slack and GitHub work with the organization's own accounts: Ada consents to nothing, her agent lists channels and reads code, and .env is withheld",
        look: `${f.api}/audit/events`,
        details: [`.env: ${secret.split('\n')[0] ?? ''}`],
      };
    });
    return stop;
  } catch (e) {
    await stop();
    throw e;
  }
}
