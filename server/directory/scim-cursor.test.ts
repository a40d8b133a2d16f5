import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { entraCreate, entraGroup } from '#dev/scim-shapes.ts';
import { testDirectory, type Answer, type TestDirectory } from '#dev/test-directory.ts';

let d: TestDirectory;
const ids: string[] = [];
before(async () => {
  d = await testDirectory();
  for (let i = 0; i < 23; i++) {
    d.clock.advance(1000);
    ids.push(
      (
        await d.send('POST', '/Users', {
          ...entraCreate(`u${i}@walk.example`),
          title: `t${i % 4}`,
          ...(i % 5 ? {} : { title: '' }),
        })
      ).body['id'],
    );
  }
  for (let i = 0; i < 6; i++) await d.send('POST', '/Groups', { ...entraGroup(`G${i}`), members: [{ value: ids[i] }] });
});
after(() => d.t.close());

const names = (a: Answer): string[] => a.body['Resources'].map((r: { id: string }) => r.id);
/** Walks to the end; between two pages something may happen. */
async function walk(
  path: string,
  between: (page: number) => Promise<unknown> = () => Promise.resolve(),
): Promise<{ seen: string[]; pages: Answer[] }> {
  const seen: string[] = [];
  const pages: Answer[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const a: Answer = await d.send(
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}cursor=${encodeURIComponent(cursor)}`,
    );
    assert.equal(a.status, 200, a.text);
    pages.push(a);
    seen.push(...names(a));
    cursor = a.body['nextCursor'];
    await between(pages.length);
  }
  return { seen, pages };
}

test('a walk by cursor sees everybody once, tells the total on each page, and ends without a cursor', async () => {
  const { seen, pages } = await walk('/Users?count=5');
  assert.deepEqual(seen, ids);
  assert.deepEqual(
    pages.map((p) => [p.body['itemsPerPage'], p.body['totalResults'], p.body['startIndex']]),
    [5, 5, 5, 5, 3].map((n) => [n, 23, undefined]),
  );
});

test('a page that ends with the last one has no cursor to an empty page', async () => {
  assert.equal((await walk('/Users?count=23')).pages.length, 1);
  assert.equal((await d.send('GET', '/Users?cursor=&count=0')).body['nextCursor'], undefined);
});

test('who is added or deleted during a walk moves nobody else: all who stay are seen once', async () => {
  const own = await d.another('same parent');
  const all: string[] = [];
  for (let i = 0; i < 20; i++) all.push((await own.send('POST', '/Users', { userName: `w${i}` })).body['id']);
  const seen: string[] = [];
  let n = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const a: Answer = await own.send('GET', `/Users?count=4&cursor=${cursor}`);
    seen.push(...names(a));
    cursor = a.body['nextCursor'];
    // One of a page that was seen, one that is still to come, and somebody new.
    await own.send('DELETE', `/Users/${all[n]}`);
    if (n < 2) await own.send('DELETE', `/Users/${all[17 + n]}`);
    await own.send('POST', '/Users', { userName: `new${n++}` });
    if (n > 30) break;
  }
  assert.equal(new Set(seen).size, seen.length);
  assert.deepEqual(
    all.slice(4, 17).filter((id) => !seen.includes(id)),
    [],
  );
});

for (const order of ['ascending', 'descending'])
  for (const by of ['userName', 'title', 'meta.created', 'meta.lastModified', 'active', 'name.familyName'])
    test(`a sorted walk by ${by} ${order} gives the same order as one page of all`, async () => {
      const query = `/Users?sortBy=${by}&sortOrder=${order}`;
      const whole = names(await d.send('GET', `${query}&count=100`));
      assert.equal(whole.length, 23);
      assert.deepEqual((await walk(`${query}&count=4`)).seen, whole);
    });

test('a walk through a filter keeps to the filter', async () => {
  const filter = encodeURIComponent('title eq "t1" or title eq "t2"');
  const { seen } = await walk(`/Users?filter=${filter}&count=2`);
  assert.deepEqual(seen, names(await d.send('GET', `/Users?filter=${filter}`)));
  assert.ok(seen.length > 5);
});

for (const [what, query, scimType] of [
  ['that nobody made', 'cursor=nonsense', 'invalidCursor'],
  ['that is JSON of something else', `cursor=${Buffer.from('[1,2,3,4,5]').toString('base64url')}`, 'invalidCursor'],
  ['beside a startIndex', 'cursor=&startIndex=2', 'invalidValue'],
  ['with a count that is no number', 'cursor=&count=many', 'invalidCount'],
] as const)
  test(`a cursor ${what} is refused`, async () => {
    const a = await d.send('GET', `/Users?${query}`);
    assert.deepEqual([a.status, a.body['scimType']], [400, scimType], a.text);
  });

test('a cursor of another filter, another order or another kind is refused, and so is one with a sort value of another type', async () => {
  const { body } = await d.send('GET', '/Users?count=2&cursor=&sortBy=meta.created');
  const next: string = body['nextCursor'];
  for (const path of [
    '/Users?',
    '/Users?sortBy=userName&',
    '/Users?sortBy=meta.created&sortOrder=descending&',
    '/Groups?sortBy=meta.created&',
    '/Users?sortBy=meta.created&filter=title%20pr&',
  ])
    assert.equal((await d.send('GET', `${path}count=2&cursor=${next}`)).body['scimType'], 'invalidCursor', path);
  const forged = JSON.parse(Buffer.from(next, 'base64url').toString());
  forged[3] = 'not a date';
  const a = await d.send(
    'GET',
    `/Users?sortBy=meta.created&cursor=${Buffer.from(JSON.stringify(forged)).toString('base64url')}`,
  );
  assert.deepEqual([a.status, a.body['scimType']], [400, 'invalidCursor']);
});

test('a cursor that is refused says how to begin again', async () => {
  const { body } = await d.send('GET', '/Users?cursor=nonsense');
  assert.equal(body['urn:gatehouse:params:scim:explain'].code, 'directory/invalid-cursor');
  assert.match(body['detail'], /begin again with "cursor=" \(empty\)/);
});

test('a cursor says no more than a place: one of another directory shows nobody of it', async () => {
  const other = await d.another('same parent');
  const { body } = await d.send('GET', '/Users?count=2&cursor=');
  const a = await other.send('GET', `/Users?cursor=${body['nextCursor']}`);
  assert.deepEqual([a.status, a.body['Resources']], [200, []]);
});

test('.search asks by its body what a list asks by its query', async () => {
  const asked = { filter: 'title eq "t1"', sortBy: 'userName', sortOrder: 'descending', startIndex: 2, count: 3 };
  const a = await d.send('POST', '/Users/.search', {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
    ...asked,
    attributes: ['userName', 'title'],
    excludedAttributes: [],
  });
  const b = await d.send(
    'GET',
    `/Users?${new URLSearchParams({ ...asked, startIndex: '2', count: '3', attributes: 'userName,title' }).toString()}`,
  );
  assert.equal(a.status, 200, a.text);
  assert.deepEqual(a.body, b.body);
  const g = await d.send('POST', '/Groups/.search', { filter: 'displayName eq "g1"', excludedAttributes: ['members'] });
  assert.deepEqual([g.body['totalResults'], g.body['Resources'][0].members], [1, undefined]);
});

test('a search of both kinds goes over users, then groups, by number and by cursor', async () => {
  const groups = names(await d.send('GET', '/Groups'));
  const page = (more: object): Promise<Answer> => d.send('POST', '/.search', more);
  const all = await page({ count: 100 });
  assert.deepEqual([names(all), all.body['totalResults']], [[...ids, ...groups], 29]);
  assert.deepEqual(names(await page({ startIndex: 22, count: 4 })), [...ids.slice(21), ...groups.slice(0, 2)]);
  assert.deepEqual(names(await page({ startIndex: 26, count: 10 })), groups.slice(2));
  const seen: string[] = [];
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const a: Answer = await page({ cursor, count: 10, attributes: ['id'] });
    assert.equal(a.body['totalResults'], 29);
    seen.push(...names(a));
    cursor = a.body['nextCursor'];
  }
  assert.deepEqual(seen, [...ids, ...groups]);
});

test('in a search of both kinds, what only one kind has is true of none of the other', async () => {
  const total = async (filter: string): Promise<number> =>
    (await d.send('POST', '/.search', { filter })).body['totalResults'];
  assert.equal(await total('userName eq "u3@walk.example"'), 1);
  assert.equal(await total('userName pr'), 23);
  assert.equal(await total('members pr'), 6);
  assert.equal(await total('displayName eq "g2" or userName eq "u3@walk.example"'), 2);
  assert.equal(await total('not (userName pr)'), 6);
  assert.equal(await total('userName ne "u3@walk.example"'), 28);
  assert.equal((await d.send('POST', '/.search', { filter: 'shoeSize pr' })).body['scimType'], 'invalidFilter');
  assert.equal((await d.send('POST', '/.search', { sortBy: 'id' })).status, 400);
});

for (const body of ['"x"', '[]', '{"filter":1}', '{"attributes":[1]}', '{"count":{}}'])
  test(`a search request that is ${body} is refused`, async () => {
    const a = await d.send('POST', '/Users/.search', body);
    assert.deepEqual(
      [a.status, a.body['urn:gatehouse:params:scim:explain'].code],
      [400, 'directory/invalid-search'],
      a.text,
    );
  });

test('pagination by cursor is announced', async () => {
  assert.deepEqual((await d.send('GET', '/ServiceProviderConfig')).body['pagination'], {
    cursor: true,
    index: true,
    defaultPaginationMethod: 'index',
    defaultPageSize: 100,
    maxPageSize: 1000,
  });
});
