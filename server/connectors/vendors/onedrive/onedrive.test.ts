import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DOMAIN, DRIVE, OTHER_TENANT, SITE_HR, SITE_SALES } from '#dev/vendors/microsoft-world.ts';
import { startMicrosoft } from '#dev/vendors/microsoft.ts';
import { inHand, type HandOptions } from '#dev/vendors/in-hand.ts';
import { oneDrive } from './manifest.ts';

/** What the tools answer with as data, as far as the tests look. */
type Item = { name: string; path: string; item: string; leads_to: { drive: string; item: string } };
type Data = {
  items: Item[];
  item: Item;
  sites: { name: string; site: string }[];
  drives: { drive: string }[];
  cursor: string;
  withheld: number;
  truncated: boolean;
  next: number;
};

async function files(t: TestContext, o: HandOptions & { roles?: string[] } = {}) {
  const vendor = await startMicrosoft();
  t.after(() => vendor.close());
  if (o.roles) vendor.registration.roles = new Set(o.roles);
  const hand = await inHand(t, oneDrive, vendor, o);
  const find = (name: string, drive: string = DRIVE.ada): string => {
    const found = vendor.world.items.find((i) => i.drive === drive && i.name === name);
    if (!found) throw new Error(`no ${name}`);
    return found.id;
  };
  const data = async (tool: string, args: unknown = {}) => (await hand.run(tool, args)).structuredContent as Data;
  const asked = (): number => vendor.seen.filter((r) => r.at === 'api').length;
  return { vendor, find, data, asked, ...hand };
}
const code = (c: string) => ({ code: c });

test('the root of the own drive is listed with ids, sizes and where links lead', async (t) => {
  const { say, find, data } = await files(t);
  const text = await say('list_children');
  assert.match(
    text,
    /- folder \/Reports \(2 items, changed 2026-10-01T09:00:00Z by ada@acme\.example; drive b!ada-drive item 01/,
  );
  assert.match(text, /- link \/For Ada .*really drive b!bob-drive item 01/);
  const { items } = await data('list_children', { path: '/Reports/2026' });
  assert.deepEqual(
    items.map((i) => i.path),
    ['/Reports/2026/june.md', "/Reports/2026/it's 100 #1 Ünï.txt"],
  );
  assert.equal(items[0]?.item, find('june.md'));
});

test('a long folder comes page by page, and only the mark of a page is taken from Graph and from the caller', async (t) => {
  const { vendor, data, run } = await files(t);
  vendor.world.pageSize = 1;
  const first = await data('list_children', { path: 'Reports' });
  assert.match(first.cursor, /^after:/);
  const second = await data('list_children', { path: 'Reports', cursor: first.cursor });
  assert.equal(second.items.length, 1);
  assert.notEqual(second.items[0]?.item, first.items[0]?.item);
  assert.equal(second.cursor, undefined);
  for (const cursor of ['https://evil.example/', 'after:/../../me/messages', 'skip:1\n'])
    await assert.rejects(run('list_children', { path: 'Reports', cursor }), Error, cursor);
  for (const cursor of ['skip:1&$expand=x', 'after:%zz'])
    await assert.rejects(run('list_children', { path: 'Reports', cursor }), code('connectors/graph-cursor'), cursor);
  assert.ok(vendor.seen.every((r) => r.at !== 'api' || !r.path.includes('messages')));
});

test('a file is read as text by path and by id, its content fetched without the credential', async (t) => {
  const { vendor, say, find } = await files(t);
  assert.match(await say('read_file', { path: '/Reports/2026/june.md' }), /Lamps sold: 412/);
  const html = await say('read_file', { item: find('page.html') });
  assert.match(html, /Budget plan/);
  assert.doesNotMatch(html, /x\(\)/);
  assert.match(await say('read_file', { path: "/Reports/2026/it's 100 #1 Ünï.txt" }), /odd name/);
  const downloads = vendor.seen.filter((r) => r.path.startsWith('/_layouts/'));
  assert.equal(downloads.length, 3);
  assert.ok(downloads.every((r) => r.headers['authorization'] === undefined));
});

test('a long text is read on with the offset that the answer says', async (t) => {
  const { vendor, data, say } = await files(t);
  const long = vendor.world.items.find((i) => i.name === 'private.txt');
  long!.bytes = Buffer.from(`${'a'.repeat(40_000)}END`);
  const first = await data('read_file', { path: 'private.txt' });
  assert.equal(first.truncated, true);
  assert.match(await say('read_file', { path: 'private.txt', offset: first.next }), /END$/);
});

for (const path of [
  '../bob',
  'Reports/../private.txt',
  'Reports:/..:/private.txt',
  ':/..:/',
  'a%2e%2e/b',
  '%2e%2e/x',
  'a\\..\\b',
  'Reports/2026/.',
  'a\u0000b',
  '．．/x',
  'a\u200b/b',
])
  test(`a path that Graph could read in another way is refused before anything is sent: ${JSON.stringify(path)}`, async (t) => {
    const { run, vendor } = await files(t);
    if (path === 'Reports/2026/.') {
      // A lone dot is nowhere else.
      assert.equal((await run('get_item', { path })).isError, undefined);
      return;
    }
    for (const tool of ['get_item', 'read_file', 'list_children'])
      await assert.rejects(run(tool, { path }), code('connectors/onedrive-path'));
    assert.ok(vendor.seen.every((r) => !r.path.includes('root:')));
  });

for (const name of [
  'CON',
  'nul.txt',
  'Com1',
  '.lock',
  'desktop.ini',
  '~$x.docx',
  'a_vti_b',
  'x:y',
  'a*',
  'a?',
  'a|b',
  '<a>',
  'a"b',
  ' a',
  'a ',
  'a.',
])
  test(`a name that OneDrive keeps for itself cannot be made: ${JSON.stringify(name)}`, async (t) => {
    const { run, vendor } = await files(t);
    const before = vendor.world.items.length;
    await assert.rejects(run('upload_file', { path: `/Reports/${name}`, text: 'x' }), code('connectors/onedrive-path'));
    await assert.rejects(run('create_folder', { path: `/Reports/${name}` }), code('connectors/onedrive-path'));
    assert.equal(vendor.world.items.length, before);
  });

test("another tenant's drive and another person's are not there", async (t) => {
  const { run, find } = await files(t);
  await assert.rejects(run('list_children', { drive: DRIVE.foreign }), { status: 404, code: 'itemNotFound' });
  await assert.rejects(run('read_file', { drive: DRIVE.bob, item: find('diary.txt', DRIVE.bob) }), { status: 403 });
});

test('a drive that Graph says to be of another tenant is refused, even where Graph shows it', async (t) => {
  const { run, vendor } = await files(t);
  vendor.fault = (r) =>
    r.path === `/v1.0/drives/${DRIVE.bob}`
      ? { status: 200, body: { id: DRIVE.bob, driveType: 'business', sharePointIds: { tenantId: OTHER_TENANT } } }
      : undefined;
  await assert.rejects(run('list_children', { drive: DRIVE.bob }), code('connectors/onedrive-foreign-drive'));
  vendor.fault = (r) =>
    r.path === '/v1.0/me/drive' ? { status: 200, body: { id: 'ABCDEF', driveType: 'personal' } } : undefined;
  await assert.rejects(run('list_children'), code('connectors/onedrive-foreign-drive'));
});

test('an item that is in another drive than the one that was opened is refused', async (t) => {
  const { run, vendor, find } = await files(t);
  vendor.fault = (r) =>
    r.path.includes('/items/')
      ? { status: 200, body: { id: 'X', name: 'x', file: {}, parentReference: { driveId: DRIVE.bob } } }
      : undefined;
  await assert.rejects(run('read_file', { item: find('june.md') }), code('connectors/onedrive-outside'));
});

test('a link to a folder of somebody else is shown and not followed, and its own drive can be asked for', async (t) => {
  const { run, data, say } = await files(t);
  await assert.rejects(run('list_children', { path: 'For Ada' }), code('connectors/onedrive-link'));
  const { item } = await data('get_item', { path: 'For Ada' });
  const inside = await say('list_children', { drive: item.leads_to.drive, item: item.leads_to.item });
  assert.match(inside, /from-bob\.txt/);
});

test('search finds words in names and content, and no operator of the search language gets through', async (t) => {
  const { data, vendor } = await files(t);
  assert.deepEqual(
    (await data('search_files', { query: 'lamps sold' })).items.map((i) => i.name),
    ['june.md'],
  );
  await data('search_files', {
    query: 'x" OR path:"https://acme" author:bob NOT y',
    file_type: 'docx',
    changed_after: '2026-01-31',
  });
  const last = vendor.seen.findLast((r) => r.path === '/v1.0/search/query');
  const { queryString } = JSON.parse(last!.body.toString()).requests[0].query;
  assert.equal(
    queryString,
    '"x" "OR" "path:" "https://acme" "author:bob" "NOT" "y" filetype:docx LastModifiedTime>=2026-01-31',
  );
  await data('search_files', { query: "it's') or (q='x", drive: DRIVE.ada });
  const inDrive = vendor.seen.findLast((r) => r.path.includes('/search('));
  assert.equal(decodeURIComponent(inDrive!.path), `/v1.0/drives/${DRIVE.ada}/root/search(q='it''s'') or (q=''x')`);
  await assert.rejects(data('search_files', { query: '"""' }), code('connectors/graph-search'));
});

test('sites and their drives are found', async (t) => {
  const { data } = await files(t);
  assert.deepEqual(
    (await data('list_sites')).sites.map((s) => s.name),
    ['Sales', 'Board', 'HR'],
  );
  assert.deepEqual((await data('list_sites', { query: 'sal' })).sites[0]?.site, SITE_SALES);
  assert.equal((await data('list_drives', { site: SITE_SALES })).drives[0]?.drive, DRIVE.sales);
  assert.equal((await data('list_drives')).drives[0]?.drive, DRIVE.ada);
});

test('settings confine a connector to sites, drives and folders, by what Graph says of an item', async (t) => {
  const { run, data, find, say } = await files(t, { settings: { sites: [SITE_SALES], own_drive: false } });
  assert.match(await say('list_children', { drive: DRIVE.sales }), /prices\.csv/);
  for (const args of [
    {},
    { drive: DRIVE.ada },
    { drive: DRIVE.hr },
    { drive: DRIVE.board },
    { drive: DRIVE.bob, item: find('For Ada', DRIVE.bob) },
  ])
    await assert.rejects(run('list_children', args), code('connectors/onedrive-outside'), JSON.stringify(args));
  const found = await data('search_files', { query: 'lamps' });
  assert.deepEqual(
    found.items.map((i) => i.name),
    ['offer.txt'],
  );
  assert.equal(found.withheld, 3);
  assert.deepEqual(
    (await data('list_sites')).sites.map((s) => s.name),
    ['Sales'],
  );
  assert.deepEqual((await data('list_drives', { site: SITE_HR })).drives, []);
});

test('a folder that a connector is confined to is left by no id and by no path', async (t) => {
  const first = await files(t);
  const { vendor } = first;
  const reports = first.find('Reports');
  const { run, say } = await inHand(t, oneDrive, vendor, {
    settings: { folders: [{ drive: DRIVE.ada, item: reports }], own_drive: false },
  });
  assert.match(await say('list_children'), /- folder \/Reports/);
  assert.match(await say('read_file', { path: '/Reports/2026/june.md' }), /412/);
  for (const args of [{ path: 'private.txt' }, { item: first.find('private.txt') }, { item: 'root' }, { path: '/' }])
    await assert.rejects(run('get_item', args), code('connectors/onedrive-outside'), JSON.stringify(args));
  await assert.rejects(run('upload_file', { path: 'new.txt', text: 'x' }), code('connectors/onedrive-outside'));
  await assert.rejects(
    run('share_item', { path: 'private.txt', recipients: ['bob@acme.example'], role: 'read' }),
    code('connectors/onedrive-outside'),
  );
  await run('upload_file', { path: 'Reports/new.txt', text: 'x' });
  assert.match(await say('search_files', { query: 'mine', drive: DRIVE.ada }), /1 results are outside/);
});

test('a new file is written below the folder that was looked at, and one that is there only when replacing is asked for', async (t) => {
  const { run, say, vendor } = await files(t);
  assert.match(await say('upload_file', { path: '/Reports/2026/july.md', text: 'Ünï' }), /was written/);
  assert.equal(vendor.world.items.find((i) => i.name === 'july.md')?.bytes.toString(), 'Ünï');
  await assert.rejects(run('upload_file', { path: '/Reports/2026/july.md', text: 'y' }), {
    status: 409,
    code: 'nameAlreadyExists',
  });
  assert.match(
    await say('upload_file', { path: '/Reports/2026/july.md', base64: 'AP8=', replace: true }),
    /was replaced/,
  );
  assert.deepEqual(vendor.world.items.find((i) => i.name === 'july.md')?.bytes, Buffer.from([0, 255]));
  await assert.rejects(run('upload_file', { path: '/Nowhere/x.md', text: 'y' }), { status: 404 });
  await assert.rejects(
    run('upload_file', { path: '/private.txt/x.md', text: 'y' }),
    code('connectors/onedrive-no-folder'),
  );
  await assert.rejects(run('upload_file', { path: '/', text: 'y' }), code('connectors/onedrive-path'));
  await assert.rejects(run('upload_file', { path: '/x', text: 'y', base64: 'AA==' }));
  await run('create_folder', { path: 'Reports/2027' });
  await assert.rejects(run('create_folder', { path: 'Reports/2027' }), { status: 409 });
});

test('sharing goes to the people who are named, within the domains that settings allow', async (t) => {
  const { run, vendor } = await files(t, { settings: { share_domains: [DOMAIN] } });
  await run('share_item', { path: 'private.txt', recipients: [`bob@${DOMAIN}`], role: 'read', message: 'see' });
  assert.deepEqual(
    vendor.world.invitations.map((i) => i.to),
    [[`bob@${DOMAIN}`]],
  );
  await assert.rejects(
    run('share_item', { path: 'private.txt', recipients: [`bob@${DOMAIN}`, 'x@evil.example'], role: 'write' }),
    code('connectors/onedrive-recipient'),
  );
  await assert.rejects(
    run('share_item', { path: 'private.txt', recipients: [`x@${DOMAIN}.evil.example`], role: 'read' }),
    code('connectors/onedrive-recipient'),
  );
  assert.equal(vendor.world.invitations.length, 1);
});

test('a link for anybody is made only where settings allow it, and one that came out wider is told of', async (t) => {
  const first = await files(t);
  await assert.rejects(
    first.run('create_link', { path: 'private.txt', type: 'view', scope: 'anonymous' }),
    code('connectors/onedrive-anonymous'),
  );
  assert.match(await first.say('create_link', { path: 'private.txt', type: 'view' }), /for organization/);
  first.vendor.fault = (r) =>
    r.path.endsWith('/createLink')
      ? { status: 200, body: { link: { scope: 'anonymous', type: 'view', webUrl: 'https://x.example/' } } }
      : undefined;
  assert.match(
    await first.say('create_link', { path: 'private.txt', type: 'view' }),
    /the tenant made one for anonymous/,
  );
  const open = await files(t, { settings: { anonymous_links: true } });
  assert.match(
    await open.say('create_link', { path: 'private.txt', type: 'view', scope: 'anonymous' }),
    /for anonymous/,
  );
  const seen = await open.say('list_permissions', { path: 'private.txt' });
  assert.match(seen, /by a link for anonymous/);
  assert.doesNotMatch(seen, /secret-mark/);
});

test('an app with Sites.Selected reaches the sites that were granted to it and no other', async (t) => {
  const { run, say, data, vendor } = await files(t, {
    account: 'entra_certificate',
    settings: { sites: [SITE_SALES, SITE_HR] },
  });
  assert.match(await say('list_children', { drive: DRIVE.sales }), /prices\.csv/);
  await assert.rejects(
    run('list_children', { drive: DRIVE.hr }),
    (e: Error) => /Sites\.Selected reaches only the sites/.test(e.message) && /request [\w-]{36}/.test(e.message),
  );
  await run('upload_file', { drive: DRIVE.sales, path: 'app.txt', text: 'x' });
  vendor.registration.siteGrants.set(SITE_SALES, 'read');
  await assert.rejects(run('upload_file', { drive: DRIVE.sales, path: 'app2.txt', text: 'x' }), { status: 403 });
  await assert.rejects(run('list_children'), code('connectors/onedrive-no-drive'));
  await assert.rejects(run('list_drives'), code('connectors/onedrive-no-drive'));
  assert.equal((await data('search_files', { query: 'lamps', drive: DRIVE.sales })).items.length, 1);
  assert.ok(vendor.seen.every((r) => r.path !== '/v1.0/search/query' && !r.path.startsWith('/v1.0/me')));
});

test('an account of the organization that may read every file still opens nobody’s OneDrive', async (t) => {
  const { run, say } = await files(t, { account: 'entra_secret', roles: ['Files.Read.All'] });
  await assert.rejects(run('list_children', { drive: DRIVE.ada }), code('connectors/onedrive-outside'));
  assert.match(await say('list_children', { drive: DRIVE.hr }), /salaries/);
});

test('what speaks for a person opens their own OneDrive, whatever the arguments say', async (t) => {
  const { run, say, vendor, data } = await files(t, {
    account: 'entra_certificate',
    actAs: 'organization_as_person',
    roles: ['Files.ReadWrite.All'],
  });
  assert.match(await say('list_children'), /private\.txt/);
  assert.equal((await data('search_files', { query: 'lamps' })).items.length, 1);
  for (const drive of [DRIVE.bob, DRIVE.sales, DRIVE.hr])
    await assert.rejects(run('list_children', { drive }), code('connectors/onedrive-outside'), drive);
  await assert.rejects(run('list_drives', { site: SITE_HR }), code('connectors/onedrive-outside'));
  await assert.rejects(run('list_sites', { query: 'hr' }), code('connectors/onedrive-outside'));
  await assert.rejects(run('list_children', { user: 'bob@acme.example' }));
  const users = vendor.seen.flatMap((r) => /^\/v1\.0\/users\/([^/]+)/.exec(r.path)?.[1] ?? []);
  assert.deepEqual([...new Set(users)], [encodeURIComponent(`ada@${DOMAIN}`)]);
});

test('what the settings name is listed, and what is not granted yet hides nothing else', async (t) => {
  const app = await files(t, {
    account: 'entra_certificate',
    settings: { sites: [SITE_HR, SITE_SALES], drives: [DRIVE.hr, DRIVE.sales] },
  });
  assert.deepEqual(
    (await app.data('list_sites')).sites.map((s) => s.name),
    ['Sales'],
  );
  assert.deepEqual(
    (await app.data('list_drives')).drives.map((d) => d.drive),
    [DRIVE.sales],
  );
  const person = await files(t, { settings: { folders: [{ drive: DRIVE.sales, item: 'x' }], drives: [DRIVE.ada] } });
  assert.deepEqual(
    (await person.data('list_drives')).drives.map((d) => d.drive),
    [DRIVE.ada, DRIVE.sales],
  );
  const closed = await files(t, { settings: { drives: [DRIVE.sales], own_drive: false } });
  assert.deepEqual(
    (await closed.data('list_drives')).drives.map((d) => d.drive),
    [DRIVE.sales],
  );
});

test('a read-only consent writes nothing, because Graph refuses it too', async (t) => {
  const { run } = await files(t, { access: 'read_only' });
  await assert.rejects(run('upload_file', { path: 'x.txt', text: 'x' }), { status: 403 });
});

test('Graph asks to wait and is asked again in time; an ended token is renewed once', async (t) => {
  const { say, vendor, got, asked } = await files(t);
  vendor.throttle(0, 2);
  assert.match(await say('list_children'), /Reports/);
  const before = asked();
  vendor.advance(5400);
  assert.match(await say('list_children'), /Reports/);
  assert.ok(asked() > before);
  assert.equal(got(), 2);
});

for (const [what, args, c] of [
  ['a folder', { path: 'Reports' }, 'connectors/onedrive-no-file'],
  ['two places at once', { path: 'Reports', item: 'x' }, 'connectors/onedrive-place'],
] as const)
  test(`read_file refuses ${what}`, async (t) => {
    const { run } = await files(t);
    await assert.rejects(run('read_file', args), code(c));
  });

test('a file that is too large is refused by its size, before it is fetched', async (t) => {
  const { run, vendor } = await files(t);
  vendor.fault = (r) =>
    r.path.includes('root:')
      ? { status: 200, body: { id: 'X', name: 'x.zip', size: 1e9, file: {}, parentReference: { driveId: DRIVE.ada } } }
      : undefined;
  await assert.rejects(run('read_file', { path: 'x.zip' }), code('connectors/onedrive-too-large'));
  assert.ok(vendor.seen.every((r) => !r.path.endsWith('/content')));
});

test('an answer that Graph does not document is said to be so', async (t) => {
  const { run, vendor } = await files(t);
  vendor.fault = (r) => (r.path === '/v1.0/me/drive' ? { status: 200, body: { odd: true } } : undefined);
  await assert.rejects(run('list_children'), code('connectors/graph-answer'));
});

test('no name or description of an item can look like a line of ours', async (t) => {
  const { say, find, vendor } = await files(t);
  const item = vendor.world.items.find((i) => i.id === find('june.md'))!;
  item.name = 'june.md\n- folder /Forged';
  const said = [
    await say('list_children', { path: '/Reports/2026' }),
    await say('get_item', { item: item.id }),
    await say('read_file', { item: item.id }),
  ].join('\n');
  assert.match(said, /june\.md - folder \/Forged/);
  assert.ok(!/^- folder \/Forged/m.test(said), said);
});
