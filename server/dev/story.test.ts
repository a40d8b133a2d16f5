import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { silentLog } from '#kernel/log.ts';
import { readConfig } from '../config.ts';
import type { Step } from './story-parts.ts';
import { tellStory, type Story } from './story.ts';

/** The story of the README, end to end, on a deployment of its own. The storyteller throws where something it claims is not so. */
const home = mkdtempSync(join(tmpdir(), 'gatehouse-story-'));
chmodSync(home, 0o755); // so that PostgreSQL, which runs as another user under root, can pass
const steps: Step[] = [];
let story: Story;
before(async () => {
  const config = readConfig(
    { GATEHOUSE_DATA: `${home}/data`, GATEHOUSE_PORT: '0', GATEHOUSE_DYNAMIC_REGISTRATION: 'on' },
    home,
  );
  story = await tellStory(config, silentLog, (s) => steps.push(s));
});
after(async () => {
  await story.stop();
  rmSync(home, { recursive: true, force: true });
});

test('each step of the story says what happened, how long it took and where to look', () => {
  assert.deepEqual(
    steps.map((s) => s.number),
    Array.from({ length: 21 }, (_, i) => i + 1),
  );
  for (const s of steps) assert.ok(s.says.length > 20 && s.ms > 0 && s.look.length > 0, JSON.stringify(s));
});

test('a refused write names the rules that came close, and says that asking again does not help', () => {
  assert.match(
    steps[4]?.details[0] ?? '',
    /no rule lets you use update_deal \(write\).*"Sales leads may change the CRM".*Do not retry/,
  );
});

test('the verifier accepts the log as exported and names the row that the superuser changed', () => {
  assert.match(story.verified.before, /^ok/m);
  assert.match(story.verified.after, /position \d+/);
});

test('health, readiness, metrics and the API description answer on the running node', async () => {
  const get = async (path: string): Promise<{ status: number; text: string }> => {
    const r = await fetch(story.serving.origin + path);
    return { status: r.status, text: await r.text() };
  };
  assert.deepEqual(await get('/healthz'), { status: 200, text: 'alive\n' });
  assert.deepEqual(await get('/readyz'), { status: 200, text: 'ready\n' });
  assert.match((await get('/metrics')).text, /^gatehouse_\w+/m);
  assert.equal((JSON.parse((await get('/api/openapi.json')).text) as { openapi: string }).openapi, '3.1.0');
});

test('a request for another host is refused before anything reads it', async () => {
  const { request } = await import('node:http');
  const url = new URL(story.serving.origin);
  for (const host of ['evil.example', `localhost.evil.example:${url.port}`, `localhost:${Number(url.port) + 1}`, '']) {
    const status = await new Promise<number>((resolve, reject) => {
      const r = request({ host: '127.0.0.1', port: url.port, path: '/api/openapi.json', headers: { host } }, (res) => {
        res.resume();
        resolve(res.statusCode ?? 0);
      });
      r.once('error', reject);
      r.end();
    });
    assert.equal(status, 421, `Host: ${host}`); // http/foreign-host
  }
});

test('no secret of the deployment is in what the API says of itself afterwards', async () => {
  const { org, apiKey } = story.founded;
  for (const path of ['sso-connections', 'connectors', 'directories', 'audit/events?limit=200', 'sign-ins']) {
    const text = await (
      await fetch(`${story.serving.origin}/api/orgs/${org}/${path}`, { headers: { authorization: `Bearer ${apiKey}` } })
    ).text();
    for (const secret of ['the-idp-and-gatehouse-share-this', 'what-the-crm-knows-gatehouse-by', apiKey])
      assert.ok(!text.includes(secret), `${path} shows ${secret}`);
  }
});
