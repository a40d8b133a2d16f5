import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseId } from '#kernel/id.ts';
import { silentLog } from '#kernel/log.ts';
import { bootstrap, type Bootstrapped } from '../bootstrap.ts';
import { readConfig } from '../config.ts';
import { serve, type Serving } from '../serve.ts';
import { setupLinkFor } from '../setup-link.ts';
import type { Browser } from './browser.ts';
import { clientKinds, type AnyClient } from './clients.ts';
import { deactivate, type Pushed } from './idp-push.ts';
import {
  connectCrm,
  connectDirectory,
  connectIdp,
  connectVendor,
  crmBearer,
  signedIn,
  signInAtNorthwind,
  signInWith,
  type ConnectedCrm,
  type Scim,
} from './northwind.ts';
import { oneEra, type OneEra } from './one-era.ts';
import { company, displayName, everybody, groupNames, people, type Person } from './people.ts';
import { startStandIn, type StandIn } from './stand-in.ts';
import { decide } from './story-approval.ts';
import { apiOf, list, type Api, type Json } from './story-parts.ts';
import { startGitHub } from './vendors/github.ts';
import { startGoogleDrive } from './vendors/google-drive.ts';
import type { VendorStandIn } from './vendors/vendor-stand-in.ts';

/**
 * The agent's side of the story, by clients that are on npm and that nobody changed, on a server as operators run it. Each is told an address
 * and nothing else; each tells the whole story at a connector's own address and again at the one of everything.
 */
const addresses = ['/mcp/{connector}', '/mcp'] as const;
const runs = clientKinds.flatMap((kind) => addresses.map((address) => ({ kind, address })));
const leaverOf = (n: number): Person => ({
  ...people.leaver,
  sub: `00u-felix-${n}`,
  email: `felix-${n}@${company.domain}`,
  family: `Flicker the ${n + 1}.`,
});
const card = '4111 1111 1111 1111';

const home = mkdtempSync(join(tmpdir(), 'gatehouse-clients-'));
chmodSync(home, 0o755); // so that PostgreSQL, which runs as another user under root, can pass
let serving: Serving;
let founded: Bootstrapped;
let api: Api;
let scim: Scim;
let pushed: Pushed;
let owner: Browser;
let ada: Browser;
let drive: VendorStandIn;
let asking: StandIn<{ url: string; mcp: string }>;
let askingOlder: OneEra;
const closing: (() => Promise<void> | void)[] = [];

before(async () => {
  const config = readConfig(
    { GATEHOUSE_DATA: `${home}/data`, GATEHOUSE_PORT: '0', GATEHOUSE_DYNAMIC_REGISTRATION: 'on' },
    home,
  );
  serving = await serve(config, silentLog, { fresh: true });
  closing.push(() => serving.stop());
  const { world } = serving.opened;
  founded = await bootstrap(world, {
    org: company.name,
    name: displayName(people.owner),
    email: people.owner.email,
  });
  api = apiOf(serving.origin, founded);
  const { idp } = await connectIdp(api, serving.origin);
  closing.push(() => idp.stop());
  ({ scim, pushed } = await connectDirectory(api, serving.origin, [...everybody, ...runs.map((_, n) => leaverOf(n))]));
  await api('PUT', '/dlp/baseline/payment_card', { arguments: 'block' });
  owner = await signedIn((await setupLinkFor(world, founded.owner)).url);
  const added = await api('POST', '/members', { email: 'ada@acme.example', displayName: 'Ada Ampere', role: 'user' });
  ada = await linked(String(added['user']));

  asking = await startStandIn('everything.ts');
  closing.push(() => asking.stop());
  askingOlder = await oneEra(asking.ready.mcp, 'older');
  closing.push(() => askingOlder.close());
  await reviewed('asking', asking.ready.mcp);
  await reviewed('asking-older', askingOlder.url);
  drive = await startGoogleDrive();
  const github = await startGitHub();
  closing.push(
    () => drive.close(),
    () => github.close(),
  );
  const code = await connectVendor(api, 'github', github, { actAs: 'organization' });
  for (const [kind, fields] of Object.entries(github.accounts))
    await api('PUT', `/connectors/${code}/account`, { kind, fields });
});
after(async () => {
  for (const close of closing.toReversed()) await close();
  rmSync(home, { recursive: true, force: true });
});

/** The browser of somebody, signed in by a link. */
async function linked(user: string): Promise<Browser> {
  return signedIn((await setupLinkFor(serving.opened.world, parseId('usr', user)!)).url);
}

/** A server whose tools everybody may use. */
async function reviewed(slug: string, url: string): Promise<void> {
  const c = await api('POST', '/connectors', { slug, name: slug, url, allowPrivate: true });
  const path = `/connectors/${String(c['id'])}`;
  const tools = list((await api('GET', `${path}/tools?limit=200`))['items']);
  await api('POST', `${path}/review`, {
    tools: tools.map((t) => ({ name: t['name'], pin: t['pin'], class: 'read' })),
  });
  await api('POST', '/rules', {
    name: `Everybody may use ${slug}`,
    who: { kind: 'everyone' },
    connector: c['id'],
    tools: { classes: ['read'] },
    effect: 'allow',
    asks: 'never',
  });
}

/** Asks again until it is so: what another transaction did binds within a second, on a busy machine later. */
async function until<T>(look: () => Promise<T | undefined | false>, otherwise: string): Promise<T> {
  for (const end = Date.now() + 60_000; Date.now() < end;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await new Promise((r) => setTimeout(r, 50));
  }
  throw new Error(otherwise);
}

for (const [n, { kind, address }] of runs.entries())
  describe(`an unmodified ${kind.name} at ${address}`, () => {
    const slug = `crm-${n}`;
    const everything = address === '/mcp';
    const open: AnyClient[] = [];
    let crm: ConnectedCrm;
    let driveId: string;
    let seller: AnyClient;
    let lead: AnyClient;

    /** What a tool of a connector is called here. */
    const called = (connector: string, tool: string): string => (everything ? `${connector}__${tool}` : tool);
    /** The tools of one connector, as their own server calls them. */
    const toolsOf = async (client: AnyClient, connector: string): Promise<string[]> =>
      (await client.tools())
        .filter((t) => !everything || t.startsWith(`${connector}__`))
        .map((t) => (everything ? t.slice(connector.length + 2) : t))
        .sort();
    const at = (connector: string): string => `${serving.origin}${everything ? '/mcp' : `/mcp/${connector}`}`;
    const person = async (who: Person, connector = slug): Promise<AnyClient> => {
      const client = await kind.connect(at(connector), `${who.given}'s agent`, (a) => signInAtNorthwind(a, who));
      open.push(client);
      return client;
    };
    const browsing = async (browser: Browser, connector: string): Promise<AnyClient> => {
      const client = await kind.connect(at(connector), "Somebody's agent", (a) => signInWith(browser, a));
      open.push(client);
      return client;
    };
    const crmCalls = (tool: string): number => crm.crm.lines.filter((l) => l.startsWith(`call ${tool} `)).length;

    before(async () => {
      crm = await connectCrm(api, slug, `CRM of run ${n}`, pushed);
      driveId = await connectVendor(api, 'google-drive', drive, { slug: `drive-${n}`, name: `Drive of run ${n}` });
      drive.registerRedirect(`${serving.origin}/connections/callback/${driveId}`);
      await api('PUT', `/connectors/${driveId}/app`, { ...drive.app });
      seller = await person(people.seller);
      lead = await person(people.lead);
    });
    after(async () => {
      for (const client of open) await client.close();
      await crm?.crm.stop();
    });

    test('finds sign-in by itself and lists what its person may use, and nothing else', async () => {
      assert.deepEqual(
        await until(async () => {
          const tools = await toolsOf(seller, slug);
          return tools.length > 0 && tools;
        }, 'the seller sees nothing'),
        ['get_deal', 'search_accounts', 'watch_deals'],
      );
      const nobody = await person(people.unmapped);
      assert.deepEqual(await toolsOf(nobody, slug), []);
    });

    test('reads, is refused a change with the reason, and makes it for somebody who may', async () => {
      const read = await seller.call(called(slug, 'get_deal'), { id: 'deal-2' });
      assert.match(read.text, /Stage lights/);
      const change = { id: 'deal-2', stage: 'won' };
      const refused = await seller.call(called(slug, 'update_deal'), change);
      assert.ok(refused.refused);
      assert.match(refused.text, /no rule lets you use update_deal \(write\).*"Sales leads may change the CRM of run/);
      assert.equal(crmCalls('update_deal'), 0);
      const done = await lead.call(called(slug, 'update_deal'), change);
      assert.ok(!done.refused && done.text.includes('"won"'), done.text);
      assert.equal(crmCalls('update_deal'), 1);
    });

    test('hears of progress before the answer', async () => {
      let heard = 0;
      const done = await seller.call(called(slug, 'watch_deals'), { seconds: 1 }, () => heard++);
      assert.match(done.text, /"seconds":1/);
      assert.ok(heard > 0);
    });

    for (const [server, connector, tool, question, answer] of [
      [
        'of the newest revision',
        'asking',
        'test_input_required_result_elicitation',
        'What is your name?',
        /Hello, Bianca!/,
      ],
      ['of the older revision', 'asking-older', 'test_elicitation', 'Who are you?', /action=accept.*bianca/],
    ] as const)
      // prettier-ignore
      test(`answers what a server ${server} asks its person in the middle of a call`, async () => {
        const client = everything ? lead : await person(people.lead, connector);
        const before = client.asked.length;
        const done = await client.call(called(connector, tool), { message: question });
        assert.match(done.text, answer);
        assert.deepEqual(client.asked.slice(before), [question]);
      });

    test('is told that there is a tool more when a rule gives it one, and of no other', async () => {
      // The stream on which it is told may be open a moment after it connected.
      assert.ok(!(await toolsOf(lead, slug)).includes('delete_deal'));
      const before = lead.changes();
      await api('POST', '/rules', {
        name: `Sales leads may delete in ${slug} after somebody agrees`,
        who: { kind: 'group', group: pushed.groups.get(groupNames.leads) },
        connector: crm.connector,
        tools: { classes: ['destructive'] },
        effect: 'allow',
        asks: 'always',
      });
      await until(async () => lead.changes() > before, 'nobody told the client');
      assert.ok((await toolsOf(lead, slug)).includes('delete_deal'));
      assert.ok(!(await toolsOf(seller, slug)).includes('delete_deal'));
    });

    test('deletes once, after somebody agreed to exactly that', async () => {
      const deletion = (id: string) => lead.call(called(slug, 'delete_deal'), { id });
      const first = deletion('deal-3');
      const waiting = await until<Json>(
        async () => list((await api('GET', '/approvals?state=pending&q=delete_deal'))['items'])[0],
        'nobody was asked',
      );
      assert.equal(crmCalls('delete_deal'), 0);
      await decide(
        { origin: serving.origin, org: founded.org, decider: owner },
        String(waiting['id']),
        String(waiting['hash']),
      );
      let done = await first;
      assert.equal(done.text.startsWith('Waiting for approval: a person must approve'), !kind.comesAgain, done.text);
      if (!kind.comesAgain) done = await deletion('deal-3');
      assert.match(done.text, /"deleted":"deal-3"/);
      assert.equal(crmCalls('delete_deal'), 1);
    });

    test('is told that a card number was stopped, and the CRM never sees it', async () => {
      const stopped = await lead.call(called(slug, 'add_note'), { id: 'deal-1', note: `Paid with ${card}` });
      assert.ok(stopped.refused);
      assert.match(stopped.text, /^Blocked/);
      assert.ok(!stopped.text.includes('4111'), stopped.text);
      assert.equal(crmCalls('add_note'), 0);
      const passed = await lead.call(called(slug, 'add_note'), { id: 'deal-1', note: 'Paid in cash' });
      assert.match(passed.text, /Paid in cash/);
    });

    test("uses tools of ours: with the organization's account at once, with the person's after she connected it", async () => {
      const connector = `drive-${n}`;
      const code = await browsing(ada, 'github');
      const file = await code.call(called('github', 'read_file'), {
        repository: 'acme/website',
        path: 'src/index.ts',
      });
      assert.match(file.text, /port = 8080/);
      const files = everything ? code : await browsing(ada, connector);
      const quote = (): ReturnType<AnyClient['call']> =>
        files.call(called(connector, 'read_file'), { file_id: 'textQuote' });
      const before = await quote();
      assert.ok(before.refused && before.text.includes(`/connections/start/${driveId}`), before.text);
      await ada.open(`${serving.origin}/connections/start/${driveId}`);
      await ada.submit(/Connect to read/);
      await ada.follow(/Continue/);
      assert.match((await quote()).text, /Quote for 10 lamps/);
    });

    test("loses its access in the middle of a call when the person's directory says so, and gets none back", async () => {
      const who = leaverOf(n);
      const [member] = list((await api('GET', `/members?q=${encodeURIComponent(who.email)}`))['items']);
      const leaver = await browsing(await linked(String(member?.['user'])), slug);
      let heard = 0;
      const watching = leaver
        .call(called(slug, 'watch_deals'), { seconds: 600 }, () => heard++)
        .then(
          (said) => (said.refused ? 'refused' : 'answered'),
          () => 'refused',
        );
      await until(async () => heard > 0, 'the call said nothing');
      await deactivate(scim.base, scim.token, pushed.users.get(who.sub) ?? '', 'entra');
      assert.equal(await watching, 'refused');
      await until(
        () =>
          leaver.call(called(slug, 'get_deal'), { id: 'deal-1' }).then(
            (said) => said.refused,
            () => true,
          ),
        'the leaver was answered again and again',
      );
      await until(
        async () => crm.crm.lines.includes('call watch_deals closed by the client'),
        'the call at the CRM went on',
      );
    });

    test('never had its token sent on', () => {
      for (const client of open) {
        const token = client.token;
        assert.ok(token.length > 100);
        for (const line of crm.crm.lines) assert.ok(!line.includes(token));
      }
      assert.ok(crm.crm.lines.some((l) => l.includes(`authorization=Bearer ${crmBearer}`)));
      for (const r of drive.seen) assert.ok(!JSON.stringify(r.headers).includes(open[0]!.token));
    });
  });

test('the log tells the whole of it: of each call that began, how it ended', async () => {
  await serving.settled();
  const read = async (type: string): Promise<Json[]> => {
    const found: Json[] = [];
    for (let position = -1; ;) {
      const page = await api('GET', `/audit/events?limit=200&type=${type}&after=${position}`);
      found.push(...list(page['events']));
      if (typeof page['next'] !== 'number') return found;
      position = page['next'];
    }
  };
  const callOf = (e: Json): string => String((e['data'] as Json)['call']);
  const began = (await read('tool.called')).map(callOf);
  const ended = (await read('tool.finished')).map(callOf);
  assert.ok(began.length >= runs.length * 10, `${began.length} calls`);
  assert.deepEqual(began.sort(), ended.sort());
});
