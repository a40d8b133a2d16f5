import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { inHand, type HandOptions, type InHand } from '#dev/vendors/in-hand.ts';
import { startGoogleDrive, type GoogleDriveStandIn } from '#dev/vendors/google-drive.ts';
import { Problem } from '#kernel/problem.ts';
import { VendorRefusal } from '../../kit/vendor-refusal.ts';
import { googleDriveManifest } from './manifest.ts';
import { upload } from './upload.ts';

async function drive(t: TestContext, o: HandOptions = {}): Promise<InHand & { at: GoogleDriveStandIn }> {
  const at = await startGoogleDrive();
  t.after(() => at.close());
  return { ...(await inHand(t, googleDriveManifest, at, o)), at };
}
const problem = (code: string) => (e: unknown) =>
  e instanceof Problem && e.code === code ? true : assert.fail(String(e));
const refusal = (code: string, says: RegExp) => (e: unknown) => {
  assert.ok(e instanceof VendorRefusal, String(e));
  assert.equal(e.code, code);
  assert.match(e.says, says);
  return true;
};
type Files = { files: { id: string }[]; next_cursor?: string };
const ids = async (d: InHand, args: unknown): Promise<string[]> =>
  ((await d.run('search_files', args)).structuredContent as Files).files.map((f) => f.id);

test('files are found by words, name, type, folder and time, also in shared drives', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  assert.deepEqual(await ids(d, { query: 'quote for 10' }), ['textQuote']);
  assert.deepEqual(await ids(d, { name_contains: 'offer' }), ['wordOffer', 'shortOffer']);
  assert.deepEqual(await ids(d, { mime_type: 'application/pdf' }), ['pdfManual']);
  assert.deepEqual(await ids(d, { folder_id: 'folderSales' }), ['textQuote']);
  assert.deepEqual(await ids(d, { shared_drive_id: '0ASharedHR' }), ['textHr']);
  assert.deepEqual(await ids(d, { modified_after: '2027-01-01T00:00:00Z' }), []);
  assert.ok(!(await ids(d, { page_size: 100 })).includes('textBob'));
});

test('quotes and operators in a search stay words: they find what they say and nothing else', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  assert.deepEqual(await ids(d, { name_contains: "Valentine's" }), ['pdfManual']);
  for (const query of [
    "x' or 'rootOfAda' in parents or name contains 'a",
    "\\' or trashed = false or fullText contains \\'",
    "a\\\\' or name contains '",
  ])
    assert.deepEqual(await ids(d, { query }), [], query);
});

test('a long list comes page by page, each file once', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  const all: string[] = [];
  let cursor: string | undefined;
  do {
    const page = (await d.run('search_files', { page_size: 4, ...(cursor === undefined ? {} : { cursor }) }))
      .structuredContent as Files;
    all.push(...page.files.map((f) => f.id));
    cursor = page.next_cursor;
  } while (cursor !== undefined);
  assert.ok(all.length > 10);
  assert.equal(new Set(all).size, all.length);
  await assert.rejects(d.run('search_files', { cursor: 'made-up' }), refusal('invalid', /Invalid Value/));
});

test('documents of Google, Word, PDF and text are read as text, shortcuts as what they lead to', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  const doc = await d.say('read_file', { file_id: 'docPlan' });
  assert.match(doc, /^Lamp plan \[Google Docs document\]\n\n# Lamp plan\n\nBrass & glass\./);
  assert.ok(!doc.includes('base64'));
  assert.match(await d.say('read_file', { file_id: 'sheetPrices' }), /## Prices\nlamp,12.5\n\n## Stock\nlamp,3/);
  assert.match(await d.say('read_file', { file_id: 'slidesPitch' }), /## Slide 1: Why lamps\nLight\nNotes: smile/);
  assert.match(await d.say('read_file', { file_id: 'shortOffer' }), /# Offer\n\nTen lamps\./);
  assert.match(
    await d.say('read_file', { file_id: 'pdfManual' }),
    /\(page 2 has no text[^]*\[page 1\]\nScrew in the bulb/,
  );
  assert.match(await d.say('read_file', { file_id: 'textQuote' }), /Quote for 10 lamps/);
});

test('a long file is read in parts, and the answer says how to read on', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  d.at.world.add({
    id: 'textLong',
    name: 'long.txt',
    mimeType: 'text/plain',
    owner: 'ada@acme.example',
    content: Buffer.from('0123456789'.repeat(30)),
  });
  const first = await d.run('read_file', { file_id: 'textLong', max_chars: 200 });
  assert.equal(first.structuredContent?.['next_offset'], 200);
  assert.match(await d.say('read_file', { file_id: 'textLong', max_chars: 200 }), /read on with offset 200/);
  const rest = await d.run('read_file', { file_id: 'textLong', offset: 200 });
  assert.equal(rest.structuredContent?.['next_offset'], undefined);
});

test('what has no text, is too large to export or is not there is refused in words', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  await assert.rejects(d.run('read_file', { file_id: 'formPoll' }), problem('connectors/drive-no-text'));
  await assert.rejects(
    d.run('read_file', { file_id: 'docHuge' }),
    refusal('exportSizeLimitExceeded', /more than 10 MB/),
  );
  await assert.rejects(
    d.run('read_file', { file_id: 'textBob' }),
    refusal('notFound', /nothing there that this account may see/),
  );
  d.at.world.add({
    id: 'textBig',
    name: 'big.txt',
    mimeType: 'text/plain',
    owner: 'ada@acme.example',
    content: Buffer.alloc(26 * 2 ** 20, 'x'),
  });
  await assert.rejects(d.run('read_file', { file_id: 'textBig' }), problem('connectors/drive-too-large'));
  d.at.world.add({
    id: 'shortShort',
    name: 's',
    mimeType: 'application/vnd.google-apps.shortcut',
    owner: 'ada@acme.example',
    shortcut: 'shortOffer',
  });
  await assert.rejects(d.run('read_file', { file_id: 'shortShort' }), problem('connectors/drive-shortcut'));
});

test('a connector that is limited to folders reads, finds, writes and moves nothing outside of them', async (t) => {
  const d = await drive(t, {
    settings: { folders: ['folderLamps'], shared_drives: ['0ASharedSales'], change_all_files: true },
  });
  const all = await ids(d, { page_size: 100 });
  assert.deepEqual(
    all.filter((i) => ['textSecret', 'textHr', 'textMallory', 'folderPrivate'].includes(i)),
    [],
  );
  assert.ok(all.includes('sheetPrices') && all.includes('textQuote') && all.includes('docPlan'));
  assert.match(await d.say('read_file', { file_id: 'sheetPrices' }), /lamp/);
  for (const [tool, args] of [
    ['read_file', { file_id: 'textSecret' }],
    ['read_file', { file_id: 'shortSecret' }],
    ['get_metadata', { file_id: 'textHr' }],
    ['list_permissions', { file_id: 'textMallory' }],
    ['search_files', { folder_id: 'folderPrivate' }],
    ['update_file', { file_id: 'textSecret', content: 'x' }],
    ['move_file', { file_id: 'textQuote', to_folder_id: 'folderPrivate' }],
    ['move_file', { file_id: 'textSecret', to_folder_id: 'folderLamps' }],
    ['share_file', { file_id: 'textSecret', with: 'bob@acme.example', role: 'reader' }],
    ['create_file', { name: 'a.txt', content: 'x', folder_id: 'rootOfAda' }],
    ['create_file', { name: 'a.txt', content: 'x', folder_id: 'root' }],
  ] as const)
    await assert.rejects(d.run(tool, args), problem('connectors/drive-outside'), `${tool} ${JSON.stringify(args)}`);
  // What does not exist at all is refused in the same words.
  await assert.rejects(d.run('read_file', { file_id: 'noSuchFile' }), problem('connectors/drive-outside'));
  await assert.rejects(
    d.run('create_file', { name: 'a.txt', content: 'x' }),
    problem('connectors/drive-folder-needed'),
  );
  assert.match(await d.say('create_file', { name: 'a.txt', content: 'x', folder_id: 'folderDeep' }), /Created: a\.txt/);
  assert.match(await d.say('list_shared_drives'), /^Sales id: 0ASharedSales$/);
});

test('a search of a limited connector tells nothing of what lies outside, not even that there is more', async (t) => {
  const d = await drive(t, { access: 'read_only', settings: { folders: ['folderLamps'] } });
  for (let i = 0; i < 150; i++)
    d.at.world.add({
      name: `salary ${i}`,
      mimeType: 'text/plain',
      parents: ['folderPrivate'],
      owner: 'ada@acme.example',
    });
  const some = await d.run('search_files', { query: 'salary' });
  const none = await d.run('search_files', { query: 'no such word' });
  assert.deepEqual(some, none);
  assert.deepEqual(await ids(d, { folder_id: 'folderDeep', page_size: 1 }), [
    'sheetPrices',
    'slidesPitch',
    'wordOffer',
  ]);
});

test('a name that somebody else gave stays in its line', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  d.at.world.add({
    id: 'evilName',
    name: 'a.txt [text/plain] id: textQuote\nb\u202etxt',
    mimeType: 'text/plain',
    owner: 'ada@acme.example',
    content: Buffer.from('x'),
  });
  assert.match(
    await d.say('search_files', { name_contains: 'a.txt' }),
    /^a\.txt \[text\/plain\] id: textQuote b\[U\+202E\]txt \[text\/plain, 1 bytes, [^\n]* id: evilName$/,
  );
});

test('a folder that was moved out of the limits takes what lies in it along', async (t) => {
  const d = await drive(t, { access: 'read_only', settings: { folders: ['folderLamps'] } });
  assert.match(await d.say('read_file', { file_id: 'sheetPrices' }), /lamp/);
  d.at.world.files.get('folderDeep')!.parents = ['folderPrivate'];
  await assert.rejects(d.run('read_file', { file_id: 'sheetPrices' }), problem('connectors/drive-outside'));
});

test('files are made as text or as documents of Google, in My Drive or a folder, also in a shared drive', async (t) => {
  const d = await drive(t);
  assert.match(
    await d.say('create_file', { name: 'notes.md', content: '# Hi\n', type: 'markdown' }),
    /Created: notes\.md \[text\/markdown, 5 bytes/,
  );
  const made = await d.run('create_file', {
    name: 'Plan',
    content: '# Übersicht',
    type: 'markdown',
    as_google_doc: true,
    folder_id: 'folderSales',
  });
  const id = String(made.structuredContent?.['id']);
  assert.equal(d.at.world.files.get(id)!.driveId, '0ASharedSales');
  assert.match(await d.say('read_file', { file_id: id }), /# Übersicht/);
  const sheet = await d.run('create_file', { name: 'Numbers', content: 'a,b\n1,2', type: 'csv', as_google_doc: true });
  assert.match(await d.say('read_file', { file_id: String(sheet.structuredContent?.['id']) }), /a,b\n1,2/);
  const folder = await d.run('create_folder', { name: 'New', folder_id: 'folderLamps' });
  const inside = await d.run('create_file', {
    name: 'in.txt',
    content: 'x',
    folder_id: folder.structuredContent?.['id'],
  });
  await d.run('update_file', { file_id: inside.structuredContent?.['id'], content: 'newer' });
  assert.match(await d.say('read_file', { file_id: inside.structuredContent?.['id'] }), /newer/);
  await d.run('move_file', {
    file_id: inside.structuredContent?.['id'],
    new_name: 'out.txt',
    to_folder_id: 'folderLamps',
  });
  assert.match(
    await d.say('get_metadata', { file_id: inside.structuredContent?.['id'] }),
    /^out\.txt[^]*in folder: folderLamps/,
  );
  await assert.rejects(
    d.run('create_file', { name: 'x', content: '{}', type: 'json', as_google_doc: true }),
    problem('connectors/drive-no-conversion'),
  );
  await assert.rejects(
    d.run('create_file', { name: 'x', content: '', folder_id: 'docPlan' }),
    problem('connectors/drive-no-folder'),
  );
  await assert.rejects(
    d.run('update_file', { file_id: 'shortOffer', content: '' }),
    problem('connectors/drive-no-text'),
  );
});

test('a name that walks, hides or turns around is no name', async (t) => {
  const d = await drive(t);
  for (const name of ['../x', 'a/b', 'a\\b', '..', ' x', 'a\u202egpj.exe', 'a\u0000', 'a\nb', ''])
    await assert.rejects(
      d.run('create_file', { name, content: 'x' }),
      /no name|slashes|Too small/i,
      JSON.stringify(name),
    );
  for (const id of ['../about', 'a/b', 'a?alt=media', '', '%2e%2e'])
    await assert.rejects(d.run('read_file', { file_id: id }), /expected an id/, id);
});

test('without a yes of the administrator only files that Gatehouse made can be changed, and nothing gets a public link', async (t) => {
  const d = await drive(t);
  await assert.rejects(
    d.run('update_file', { file_id: 'pdfManual', content: 'x' }),
    refusal('appNotAuthorizedToFile', /only files that it made/),
  );
  await assert.rejects(
    d.run('share_file', { file_id: 'docPlan', with: 'bob@acme.example', role: 'reader' }),
    refusal('appNotAuthorizedToFile', /only files/),
  );
  const made = await d.run('create_file', { name: 'mine.txt', content: 'x' });
  const id = made.structuredContent?.['id'];
  await assert.rejects(
    d.run('share_file', { file_id: id, public_link: true, role: 'reader' }),
    problem('connectors/drive-public-link'),
  );
  assert.match(
    await d.say('share_file', { file_id: id, with: 'bob@acme.example', role: 'reader', message: 'Look' }),
    /bob@acme\.example is now reader/,
  );
  assert.deepEqual(d.at.world.mails, [{ to: 'bob@acme.example', message: 'Look' }]);
  await d.run('share_file', { file_id: id, with: 'carl@other.example', role: 'commenter', notify: false });
  assert.equal(d.at.world.mails.length, 1);
  assert.match(
    await d.say('list_permissions', { file_id: id }),
    /user bob@acme\.example: reader\nuser carl@other\.example: commenter/,
  );
  for (const bad of [
    {},
    { with: 'a@b.example', public_link: true },
    { with: 'a@b.example', notify: false, message: 'x' },
  ])
    await assert.rejects(d.run('share_file', { file_id: id, role: 'reader', ...bad }), /needed|only with/);
});

test('with a yes of the administrator every file can be changed and shared with everyone who has the link', async (t) => {
  const d = await drive(t, { settings: { change_all_files: true, public_links: true } });
  await d.run('update_file', { file_id: 'textSecret', content: 'gone' });
  assert.match(
    await d.say('share_file', { file_id: 'docPlan', public_link: true, role: 'reader' }),
    /everyone with the link is now reader/,
  );
  assert.match(await d.say('list_permissions', { file_id: 'docPlan' }), /everyone with the link: reader/);
  await assert.rejects(
    d.run('update_file', { file_id: 'textHr', content: 'x' }),
    refusal('insufficientFilePermissions', /may not do that/),
  );
});

test('a read-only consent cannot write, whatever is asked', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  await assert.rejects(
    d.run('create_file', { name: 'x.txt', content: 'x' }),
    refusal('insufficientPermissions', /does not cover this/),
  );
});

test('a large file is sent in pieces, and what Drive did not take is sent again', async (t) => {
  const d = await drive(t);
  const bytes = Buffer.alloc(9 * 2 ** 20, 'lamp ');
  const file = await upload(d.client, {
    metadata: { name: 'big.txt', mimeType: 'text/plain' },
    mimeType: 'text/plain',
    bytes,
  });
  assert.deepEqual(d.at.world.files.get(file.id)!.content, bytes);
  assert.equal(d.at.seen.filter((r) => r.method === 'PUT').length, 2);
});

test('Drive that asks to go slower by 403 is asked again, and an answer that is none of its own is refused', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  let slow = 1;
  const body = (reason: string): unknown => ({
    error: { code: 403, message: 'Rate Limit Exceeded', errors: [{ domain: 'usageLimits', reason }] },
  });
  d.at.fault = (r) =>
    r.path.startsWith('/drive/v3/files') && slow-- > 0
      ? { status: 403, body: body('userRateLimitExceeded') }
      : undefined;
  assert.match(await d.say('read_file', { file_id: 'textQuote' }), /Quote/);
  d.at.fault = () => ({ status: 403, body: body('dailyLimitExceeded') });
  await assert.rejects(
    d.run('get_metadata', { file_id: 'textQuote' }),
    refusal('dailyLimitExceeded', /quota for today/),
  );
  d.at.fault = () => ({ status: 200, body: { files: 'none' } });
  await assert.rejects(d.run('search_files', {}), refusal('unexpected_answer', /form/));
});

test('an expired token is renewed without anybody noticing; a consent that ended is not', async (t) => {
  const d = await drive(t, { access: 'read_only' });
  d.at.advance(3700);
  assert.match(await d.say('get_metadata', { file_id: 'docPlan' }), /Lamp plan/);
  assert.equal(d.got(), 2);
  d.at.endGrants('ada');
  await assert.rejects(d.run('get_metadata', { file_id: 'docPlan' }), /reconnect: invalid_grant/);
});

test('whose account a consent is, Google says: one of another organization and a personal one are foreign', async (t) => {
  const settings = { domains: ['acme.example'] };
  const at = await startGoogleDrive();
  t.after(() => at.close());
  const who = async (account: string) => {
    at.visitor.account = account;
    const a = await googleDriveManifest.whoami(
      (await inHand(t, googleDriveManifest, at, { access: 'read_only' })).client,
    );
    return { ...a, foreign: googleDriveManifest.foreign?.(a, settings, undefined) };
  };
  assert.deepEqual(await who('ada'), {
    subject: '110000000000000000001',
    label: 'ada@acme.example',
    email: 'ada@acme.example',
    tenant: 'acme.example',
    foreign: undefined,
  });
  assert.match((await who('mallory')).foreign!, /account of rival\.example, not of acme\.example/);
  assert.match((await who('pat')).foreign!, /pat@acme\.example is a personal Google account/);
});

test('a service account acts as itself, as the account it was given, or as the caller, and for nobody outside', async (t) => {
  const as = async (o: HandOptions) => {
    const d = await drive(t, { access: 'read_only', account: 'service_account', ...o });
    return { d, account: await googleDriveManifest.whoami(d.client) };
  };
  const robot = await as({});
  assert.equal(robot.account.email, 'robot@acme.example');
  assert.equal(googleDriveManifest.foreign?.(robot.account, { domains: ['acme.example'] }, undefined), undefined);
  assert.deepEqual(await ids(robot.d, { query: 'quote for' }), ['textQuote']);
  const bob = { email: 'bob@acme.example', name: 'Bob' };
  const person = await as({ actAs: 'organization_as_person', person: bob });
  assert.equal(person.account.email, 'bob@acme.example');
  assert.deepEqual(await ids(person.d, {}), ['textBob']);
  await assert.rejects(
    as({ actAs: 'organization_as_person', person: { email: 'ada@rival.example', name: 'A' } }),
    /not of a domain of this connector/,
  );
  await assert.rejects(
    as({ actAs: 'organization_as_person', person: { email: 'nobody@acme.example', name: 'N' } }),
    /no token for nobody@acme\.example: Invalid email or User ID/,
  );
});

test('a service account whose scopes were not delegated is told where that is done', async (t) => {
  const at = await startGoogleDrive();
  t.after(() => at.close());
  at.identity.delegated = [];
  await assert.rejects(
    inHand(t, googleDriveManifest, at, { account: 'service_account' }),
    /no domain-wide delegation for these scopes/,
  );
  const key = JSON.parse(String(at.accounts['service_account']!['key'])) as Record<string, string>;
  const fields = googleDriveManifest.organization[0]!.fields;
  for (const bad of ['{}', 'x', JSON.stringify({ ...key, type: 'authorized_user' })])
    assert.ok(!fields.safeParse({ key: bad }).success, bad);
  assert.deepEqual(googleDriveManifest.organization[0]!.shown({ key: JSON.stringify(key) }), {
    client_email: 'gatehouse@acme-project.iam.gserviceaccount.com',
    client_id: '998877665544332211000',
    private_key_id: 'k1',
  });
});
