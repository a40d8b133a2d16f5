import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { inHand, REDIRECT, type HandOptions } from '#dev/vendors/in-hand.ts';
import { notionId, rich } from '#dev/vendors/notion-world.ts';
import { startNotion } from '#dev/vendors/notion.ts';
import { notionManifest as manifest } from './manifest.ts';
import { blocksOf } from './markdown-blocks.ts';
import { runsOf, textRuns } from './rich-text.ts';

async function notion(t: TestContext, o: HandOptions & { as?: string } = {}) {
  const vendor = await startNotion();
  t.after(() => vendor.close());
  if (o.as !== undefined) vendor.visitor.account = o.as;
  return { vendor, ...(await inHand(t, manifest, vendor, o)) };
}
type Refusal = { says: string; code?: string };
const page = (n: number) => notionId('page', n);
const source = notionId('source', 1);
const plain = (content: unknown): string => JSON.stringify(content);

test('a page is read as text, level by level, with links in sight and nothing fetched', async (t) => {
  const { say, vendor } = await notion(t);
  const before = vendor.seen.length;
  assert.equal(
    await say('read_page', { id: page(1) }),
    [
      '# Handbook',
      '',
      '# Welcome',
      'Read the plan (https://wiki.acme.example/plan) first.',
      '- One',
      '  - One and a half',
      '- [x] Sign',
      '```python',
      'x = 1',
      '```',
      '[image: The office, uploaded to Notion]',
      '[image at https://elsewhere.example/p.png]',
      `[page "Travel", id ${notionId('block', 9)}]`,
      '| a | b |',
      '[ai_block: not shown]',
    ].join('\n'),
  );
  assert.deepEqual(
    vendor.seen.slice(before).map((r) => `${r.path.split('/')[2]} ${r.path.split('/')[4] ?? ''}`),
    ['pages ', 'blocks children', 'blocks children', 'blocks children'],
  );
});

test('a long page comes page by page, and what is too deep or too much is named where it stands', async (t) => {
  const { say, run, vendor } = await notion(t);
  for (let i = 0; i < 150; i++)
    vendor.world.blocks.push({
      id: notionId('block', 500 + i),
      parent: page(2),
      type: 'paragraph',
      content: { rich_text: [rich(`line ${i}`)] },
    });
  const first = await run('read_page', { id: page(2) });
  const cursor = first.structuredContent?.['cursor'];
  assert.equal(cursor, 'c-100');
  assert.match(await say('read_page', { id: page(2), cursor }), /^line 100\n(?:.*\n)*line 149$/);
  let above = page(1);
  for (let i = 0; i < 10; i++) {
    vendor.world.blocks.push({
      id: notionId('block', 800 + i),
      parent: above,
      type: 'toggle',
      content: { rich_text: [rich(`deep ${i}`)] },
    });
    above = notionId('block', 800 + i);
  }
  const deep = await say('read_page', { id: page(1) });
  assert.match(deep, new RegExp(`deep 5\\n +\\(more below: read_page with id ${notionId('block', 805)}\\)`));
  assert.doesNotMatch(deep, /deep 6/);
  assert.match(await say('read_page', { id: notionId('block', 805) }), /^deep 6/);
});

test('what is not shared with the connection is not found, and the caller is told how to share it', async (t) => {
  const { say } = await notion(t);
  await assert.rejects(
    say('read_page', { id: page(3) }),
    (e: Refusal) => e.code === 'object_not_found' && /Connections, and add it there/.test(e.says),
  );
  assert.doesNotMatch(await say('search'), /Salaries/);
  assert.match(await say('search', { query: 'nothing like it' }), /nothing found among what is shared/);
});

test('a search finds pages and data sources by title, page by page', async (t) => {
  const { say, run } = await notion(t);
  assert.match(await say('search', { query: 'tasks' }), new RegExp(`^data source ${source}: Tasks$`));
  assert.match(
    await say('search', { query: 'blog', kind: 'page' }),
    /Public blog, changed 2026-10-04, published to the web/,
  );
  const first = await run('search', { limit: 2 });
  assert.equal(
    (await run('search', { limit: 2, cursor: first.structuredContent?.['cursor'] })).structuredContent?.['cursor'],
    'c-4',
  );
  await assert.rejects(run('search', { cursor: 'nonsense' }), { code: 'validation_error' });
});

test('a database is described, and its rows are asked for by conditions of their types', async (t) => {
  const { say } = await notion(t);
  assert.match(
    await say('describe_database', { id: notionId('database', 1) }),
    new RegExp(`data source ${source}: Tasks`),
  );
  assert.match(await say('describe_database', { id: source }), /Status: status, one of Open, Done\nCost: number/);
  const open = await say('query_data_source', {
    id: source,
    filters: [
      { property: 'Status', condition: 'equals', value: 'Open' },
      { property: 'Cost', condition: 'greater_than', value: 100 },
    ],
  });
  assert.equal(
    open,
    `page ${page(5)}: Fix the roof\n  Status: Open\n  Cost: 1200\n  Due: 2026-12-01\n  Who: Ada Lovelace\n  Sum: 1428`,
  );
  assert.match(
    await say('query_data_source', {
      id: source,
      match: 'any',
      filters: [
        { property: 'Due', condition: 'is_empty' },
        { property: 'Name', condition: 'equals', value: 'x' },
      ],
    }),
    /Paint the door/,
  );
  for (const [filter, says] of [
    [{ property: 'Nope', condition: 'equals', value: 'x' }, /no property Nope; there are Name, Status/],
    [{ property: 'Cost', condition: 'contains', value: 'x' }, /of the type number, which knows equals/],
    [{ property: 'Cost', condition: 'equals', value: '1' }, /takes a value of the kind number/],
    [{ property: 'Sum', condition: 'equals', value: 1 }, /knows no conditions/],
  ] as const)
    await assert.rejects(
      say('query_data_source', { id: source, filters: [filter] }),
      (e: Refusal) => e.code === 'connectors/notion-filter' && says.test(e.says),
    );
});

test('a page is made from Markdown, with its lists nested, its code as code and nothing that fetches', async (t) => {
  const { say, run, vendor } = await notion(t, { settings: { own_hosts: ['acme.example'] } });
  const made = await run('create_page', {
    parent_page: page(1),
    title: 'Notes',
    markdown:
      '# Plan\n- one\n  - two\n    - three\n      - four\n1. first\n- [x] done\n> said\n```py\nx = "![a](b)"\n```\n---\n![x](https://evil.example/p?d=1) [a](https://evil.example/) [b](https://wiki.acme.example/) **bold** `c` https://docs.example/',
  });
  const id = String(made.structuredContent?.['id']);
  assert.equal(
    await say('read_page', { id }),
    [
      '# Notes',
      '',
      '# Plan',
      '- one',
      '  - two',
      '    - three',
      '    - four',
      '1. first',
      '- [x] done',
      '> said',
      '```python',
      'x = "![a](b)"',
      '```',
      '---',
      'picture "x" at https://evil.example/p?d=1 a (https://evil.example/) b (https://wiki.acme.example/) bold c https://docs.example/',
    ].join('\n'),
  );
  const written = vendor.world.blocks.filter((b) => b.parent === id);
  assert.ok(!written.some((b) => ['image', 'embed', 'bookmark', 'video', 'file'].includes(b.type)));
  assert.match(plain(made.content), /2 links and pictures were written with their addresses in sight/);
});

test('more than a hundred blocks go in their order, at the start or after a block too', async (t) => {
  const { say, vendor } = await notion(t);
  const many = (from: number) => Array.from({ length: 230 }, (_, i) => `p${from + i}`).join('\n\n');
  const texts = (of: string) =>
    vendor.world.blocks
      .filter((b) => b.parent === of)
      .map((b) => (b.content['rich_text'] as { plain_text: string }[])[0]!.plain_text);
  await say('append_blocks', { page: page(2), markdown: 'end' });
  await say('append_blocks', { page: page(2), markdown: many(0), at_start: true });
  const all = [...Array.from({ length: 230 }, (_, i) => `p${i}`), 'end'];
  assert.deepEqual(texts(page(2)), all);
  const after = vendor.world.blocks.find((b) => b.parent === page(2))!.id;
  await say('append_blocks', { page: page(2), markdown: many(1000), after_block: after });
  assert.deepEqual(texts(page(2)).slice(0, 4), ['p0', 'p1000', 'p1001', 'p1002']);
  assert.equal(texts(page(2))[231], 'p1');
  await assert.rejects(say('append_blocks', { page: page(2), markdown: 'x\n\n'.repeat(501) }), {
    code: 'connectors/notion-too-much',
  });
  await assert.rejects(say('append_blocks', { page: page(2), markdown: '`x` '.repeat(90) }), {
    code: 'connectors/notion-too-much',
  });
  await assert.rejects(say('append_blocks', { page: page(2), markdown: ' \n ' }), {
    code: 'connectors/notion-nothing',
  });
});

test('where a text is written in parts and one is refused, the caller is told what stays', async (t) => {
  const { say, vendor } = await notion(t);
  let appended = 0;
  vendor.fault = (r) =>
    r.method === 'PATCH' && ++appended > 1
      ? { status: 409, body: { object: 'error', code: 'conflict_error', message: 'x' } }
      : undefined;
  const markdown = 'x\n\n'.repeat(250);
  await assert.rejects(say('append_blocks', { page: page(2), markdown }), (e: Refusal) =>
    /the first 100 of 250 blocks were written, then/.test(e.says),
  );
  await assert.rejects(say('create_page', { parent_page: page(1), title: 'x', markdown }), (e: Refusal) =>
    /was created with a part of its content/.test(e.says),
  );
});

test('a row is made and changed with values of the types that its properties have', async (t) => {
  const { say, run, vendor } = await notion(t);
  const made = await run('create_page', {
    data_source: source,
    title: 'Sweep',
    properties: { Cost: 5, Status: 'Open', Due: '2026-12-01/2026-12-02', Who: [notionId('user', 2)] },
  });
  const id = String(made.structuredContent?.['id']);
  assert.match(await say('read_page', { id }), /# Sweep\nCost: 5\nStatus: Open\nDue: 2026-12-01 to 2026-12-02/);
  assert.match(
    await say('update_page', { page: id, title: 'Swept', properties: { Status: 'Done', Due: null } }),
    /changed Status, Due, Name of Sweep/,
  );
  assert.match(await say('read_page', { id }), /# Swept\nCost: 5\nStatus: Done/);
  for (const [properties, says] of [
    [{ cost: 5 }, /no property cost; there are Name/],
    [{ Cost: '5' }, /takes a number/],
    [{ Sum: 5 }, /works it out itself/],
    [{ Due: 'tomorrow' }, /takes a date like/],
    [{ Who: ['ada'] }, /takes a list of ids/],
  ] as const)
    await assert.rejects(
      say('update_page', { page: id, properties }),
      (e: Refusal) => e.code === 'connectors/notion-property' && says.test(e.says),
    );
  await assert.rejects(say('update_page', { page: id, properties: { Status: 'Lost' } }), (e: Refusal) =>
    /Status option "Lost" does not exist/.test(e.says),
  );
  await assert.rejects(say('update_page', { page: id }), { code: 'connectors/notion-nothing' });
  await assert.rejects(say('create_page', { title: 'x' }), { code: 'connectors/notion-parent' });
  await assert.rejects(say('create_page', { title: 'x', parent_page: page(1), data_source: source }), {
    code: 'connectors/notion-parent',
  });
  vendor.world.databases[0]!.public = 'https://acme.notion.site/tasks';
  await assert.rejects(say('create_page', { data_source: source, title: 'x' }), { code: 'connectors/notion-public' });
});

test('what is published to the web is written to only where the setting opens that', async (t) => {
  const closed = await notion(t);
  for (const [tool, args] of [
    ['append_blocks', { page: page(4), markdown: 'x' }],
    ['create_page', { parent_page: page(4), title: 'x' }],
    ['update_page', { page: page(4), title: 'x' }],
    ['comment', { page: page(4), text: 'x' }],
  ] as const)
    await assert.rejects(closed.say(tool, args), { code: 'connectors/notion-public' });
  assert.ok(closed.vendor.seen.every((r) => r.method === 'GET' || r.path.includes('oauth')));
  const open = await notion(t, { settings: { write_public: true } });
  await open.say('append_blocks', { page: page(4), markdown: 'x' });
});

test('a comment shows where its links lead, and answers only in a discussion of the page that was named', async (t) => {
  const { say, vendor } = await notion(t);
  await say('comment', { page: page(1), text: 'see [https://acme.example](https://evil.example/?d=1)' });
  assert.deepEqual(vendor.world.comments.at(-1)!.text, 'see https://acme.example (https://evil.example/?d=1)');
  await say('comment', { page: page(1), text: 'yes', discussion: notionId('comment', 100) });
  assert.equal(vendor.world.comments.at(-1)!.discussion, notionId('comment', 100));
  await assert.rejects(say('comment', { page: page(2), text: 'yes', discussion: notionId('comment', 100) }), {
    code: 'connectors/notion-discussion',
  });
});

test('what the integration has no capability for is said with what to switch on', async (t) => {
  const { say, vendor } = await notion(t);
  vendor.world.capabilities.delete('insert');
  await assert.rejects(
    say('append_blocks', { page: page(1), markdown: 'x' }),
    (e: Refusal) => e.code === 'restricted_resource' && /"Insert content" \(new pages and blocks\)/.test(e.says),
  );
});

test('Notion is asked again when it says, and a change whose answer is lost is not sent again', async (t) => {
  const { say, vendor } = await notion(t);
  vendor.throttle(1);
  assert.match(await say('search', { query: 'travel' }), /Travel/);
  vendor.fault = (r) => (r.method === 'PATCH' ? { drop: true } : undefined);
  await assert.rejects(say('append_blocks', { page: page(1), markdown: 'x' }), { code: 'outcome_unknown' });
  assert.equal(vendor.seen.filter((r) => r.method === 'PATCH').length, 1);
});

test('a token that ended is renewed with a refresh token that works once, and a grant that ended says so', async (t) => {
  const { say, vendor, got, revoke } = await notion(t);
  for (let i = 0; i < 2; i++) {
    vendor.advance(7200);
    await say('search', { query: 'travel' });
  }
  assert.equal(got(), 3);
  const used = vendor.seen.filter((r) => r.path === '/v1/oauth/token')[1]!;
  const again = await fetch(`${vendor.origins['api']}/v1/oauth/token`, {
    method: 'POST',
    headers: { authorization: String(used.headers['authorization']), 'content-type': 'application/json' },
    body: new Uint8Array(used.body),
  });
  const body = (await again.json()) as Record<string, unknown>;
  assert.deepEqual(
    [again.status, body['error'], manifest.oauth!.classify!(again.status, body)],
    [400, 'invalid_grant', 'reconnect'],
  );
  await revoke();
  await revoke();
  await assert.rejects(say('search'), /reconnect/);
  vendor.fault = (r) => (r.path === '/v1/oauth/revoke' ? { status: 503 } : undefined);
  await assert.rejects(revoke(), { code: 'connectors/notion-not-revoked' });
});

test('an account of another workspace is foreign, and one that does not say its workspace too', async (t) => {
  const mine = await notion(t);
  const me = await manifest.whoami(mine.client);
  assert.deepEqual(me, {
    subject: notionId('user', 1),
    label: 'Ada Lovelace at Acme',
    email: 'ada@acme.example',
    tenant: notionId('workspace', 1),
  });
  const { settings } = mine.vendor;
  assert.equal(manifest.foreign!(me, settings, undefined), undefined);
  assert.equal(
    manifest.foreign!(
      { ...me, tenant: notionId('workspace', 1).replaceAll('-', '').toUpperCase() },
      settings,
      undefined,
    ),
    undefined,
  );
  assert.match(manifest.foreign!({ subject: 'x', label: 'x' }, settings, undefined)!, /not said/);
  for (const as of ['mallory', 'pat']) {
    const other = await notion(t, { as });
    assert.match(
      manifest.foreign!(await manifest.whoami(other.client), settings, undefined)!,
      /is of the Notion workspace 7777/,
    );
  }
});

test('an internal integration reads and writes what is shared with it', async (t) => {
  const { say, client, vendor } = await notion(t, { account: 'static_token' });
  assert.equal((await manifest.whoami(client)).label, 'Gatehouse at Acme');
  vendor.advance(400 * 86_400);
  assert.match(await say('append_blocks', { page: page(1), markdown: 'x' }), /added 1 blocks to Handbook/);
  const [grant] = manifest.organization;
  assert.ok(!grant!.fields.safeParse({ token: 'xoxb-1' }).success);
  assert.deepEqual(grant!.shown(vendor.accounts['static_token']!), {});
});

test('an id is taken in one spelling only, so that a rule that names it holds', async (t) => {
  const { say } = await notion(t);
  for (const id of [
    page(1).replaceAll('-', ''),
    page(1).toUpperCase().replace('1', 'A'),
    `${page(1)}/../x`,
    `https://www.notion.so/${page(1)}`,
  ])
    await assert.rejects(say('read_page', { id }), /expected an id in lower case with hyphens/);
});

test('a long text is cut between characters', () => {
  const text = 'x'.repeat(1999) + '😀'.repeat(2000);
  for (const runs of [textRuns(text), runsOf(text, { ownHosts: [], seen: () => undefined })]) {
    assert.deepEqual(
      runs.map((r) => r.text.content.length),
      [1999, 2000, 2000],
    );
    assert.ok(runs.every((r) => r.text.content.isWellFormed()));
  }
});

test('whatever Markdown is written, every run fits, no half of a character goes out and every link elsewhere is in sight', () => {
  const bit = fc.constantFrom(
    '[',
    ']',
    '(',
    ')',
    '](',
    '![',
    '**',
    '`',
    '~~',
    '*',
    '<',
    '>',
    '\n',
    '- ',
    '  ',
    '# ',
    '```',
    '😀',
    'a',
    ' ',
    'https://evil.example/p',
    'javascript:x',
    'x'.repeat(1999),
  );
  fc.assert(
    fc.property(fc.array(bit, { maxLength: 30 }), (bits) => {
      const w = { ownHosts: [], seen: () => undefined };
      for (const run of runsOf(bits.join(''), w)) {
        assert.ok(run.text.content.length <= 2000 && run.text.content.isWellFormed());
        if (run.text.link) assert.equal(run.text.content, run.text.link.url);
      }
      const check = (blocks: readonly { type: string; [k: string]: unknown }[], depth: number): void => {
        assert.ok(depth <= 3);
        for (const b of blocks) check((b[b.type] as { children?: [] }).children ?? [], depth + 1);
      };
      check(blocksOf(bits.join(''), w), 1);
    }),
    { numRuns: 1000 },
  );
});

test('the stand-in refuses what Notion would', async (t) => {
  const { vendor } = await notion(t);
  const at = vendor.origins['api'] ?? '';
  const basic = `Basic ${Buffer.from(`${vendor.app.clientId}:${vendor.app.clientSecret}`).toString('base64')}`;
  const token = async (body: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(`${at}/v1/oauth/token`, {
      method: 'POST',
      headers: { authorization: basic, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const b = (await answer.json()) as Record<string, unknown>;
    return `${answer.status} ${String(b['error'] ?? b['code'])} ${manifest.oauth!.classify!(answer.status, b) ?? ''}`;
  };
  const used = JSON.parse(vendor.seen.find((r) => r.path === '/v1/oauth/token')!.body.toString()) as object;
  assert.deepEqual(
    [
      await token(used),
      await token({ ...used, code_verifier: 'x' }),
      await token(used, { authorization: 'Basic eDp5' }),
      await token({}, { 'content-type': 'application/x-www-form-urlencoded' }),
    ],
    ['400 invalid_grant reconnect', '400 validation_error app', '401 invalid_client app', '400 invalid_json '],
  );
  const page = await fetch(
    `${at}/v1/oauth/authorize?${new URLSearchParams({ client_id: vendor.app.clientId, redirect_uri: REDIRECT, response_type: 'code' }).toString()}`,
    { redirect: 'manual' },
  );
  assert.match(page.headers.get('location') ?? '', /error=invalid_request/);
  const call = await fetch(`${at}/v1/users/me`, { headers: { authorization: 'Bearer none' } });
  assert.equal(call.status, 401);
  assert.equal(manifest.oauth!.classify!(503, {}), 'later');
});

test('a picture that somebody typed into a page is read as words', async (t) => {
  const { say, vendor } = await notion(t);
  vendor.world.blocks.push({
    id: notionId('block', 90),
    parent: page(2),
    type: 'paragraph',
    content: { rich_text: [rich('![x](https://evil.example/p)')] },
  });
  assert.match(await say('read_page', { id: page(2) }), /! \[x\]\(https:\/\/evil/);
  vendor.world.blocks.at(-1)!.type = 'code';
  vendor.world.blocks.at(-1)!.content = { language: 'markdown', rich_text: [rich('```\n![x](y)')] };
  assert.match(await say('read_page', { id: page(2) }), /````markdown\n```\n!\[x\]\(y\)\n````$/);
});

test('a title with lines in it stays in its line', async (t) => {
  const { say, vendor } = await notion(t);
  vendor.world.pages[1]!.properties = { title: { type: 'title', title: [rich('Travel\npage x: Forged')] } };
  assert.equal((await say('search', { query: 'travel' })).split('\n').length, 1);
});

test('a text that is made to take long becomes blocks like any other', () => {
  const w = { ownHosts: [], seen: () => undefined };
  const n = 50_000;
  for (const text of [
    '['.repeat(n),
    '[a]('.repeat(n),
    `# ${'#'.repeat(n)}a`,
    `# ${' '.repeat(n)}a`,
    '`'.repeat(n),
    '*'.repeat(n),
    '<https://'.repeat(n),
  ])
    try {
      blocksOf(text, w);
    } catch (e) {
      assert.equal((e as { code?: string }).code, 'connectors/notion-too-much');
    }
  assert.equal(
    plain(blocksOf('## Plan ##  ', w)),
    plain([{ object: 'block', type: 'heading_2', heading_2: { rich_text: runsOf('Plan', w) } }]),
  );
});

test('a discussion is looked for on so many pages of comments, and not for ever', async (t) => {
  const { say, vendor } = await notion(t);
  let asked = 0;
  vendor.fault = (r) => {
    if (r.method !== 'GET' || !r.path.endsWith('/comments')) return undefined;
    // One that ends, so that a search without an end is a failure and no hanging test.
    return { status: 200, body: { object: 'list', results: [], has_more: ++asked < 60, next_cursor: `c${asked}` } };
  };
  await assert.rejects(say('comment', { page: page(1), text: 'yes', discussion: notionId('comment', 100) }), {
    code: 'connectors/notion-discussion',
  });
  assert.equal(asked, 20);
});
