import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { browserOf, oauthHouse, register } from '#dev/oauth-house.ts';

const tool = fileURLToPath(new URL('../../node_modules/.bin/conformance', import.meta.url));

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const s = createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address() as AddressInfo;
      s.close(() => resolve(port));
    });
  });

test(
  'the conformance suite of the protocol passes against our authorization server',
  { timeout: 120_000 },
  async () => {
    await using house = await oauthHouse();
    const client = await register(house, {
      client_name: 'Conformance',
      redirect_uris: ['http://127.0.0.1/callback'],
      application_type: 'native',
    });
    const port = await freePort();
    const out = await mkdtemp(join(tmpdir(), 'gatehouse-conformance-'));
    try {
      const child = spawn(
        process.execPath,
        [
          tool,
          'authorization',
          '--url',
          house.origin,
          '--client-id',
          client.client_id,
          '--resource',
          `${house.origin}/mcp`,
        ].concat(['--port', String(port), '--spec-version', '2026-07-28', '-o', out]),
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let text = '';
      let opened = false;
      let failed: unknown;
      const stop = setTimeout(() => child.kill(), 90_000);
      const visit = async (url: string): Promise<void> => {
        const b = await browserOf(house, house.ada);
        await b.open(url);
        await b.submit('Allow');
      };
      const hear = (chunk: Buffer): void => {
        text += chunk.toString('utf8');
        const url = new RegExp(`${house.origin}/oauth/authorize\\S+`).exec(text)?.[0];
        // The tool prints the address for a person to open, and waits for the answer at its port.
        if (url !== undefined && !opened && text.slice(text.indexOf(url) + url.length).length > 0) {
          opened = true;
          // When the person cannot say yes, the tool would wait for five minutes.
          visit(url).catch((e: unknown) => {
            failed = e;
            child.kill();
          });
        }
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      const code = await new Promise<number | null>((resolve, reject) =>
        child.on('error', reject).on('close', resolve),
      );
      clearTimeout(stop);
      assert.ifError(failed);
      assert.ok(opened, `the suite did not ask to sign in:\n${text}`);
      // Exit code 0 alone says little: a skipped part does not change it.
      assert.match(text, /3 passed, 0 failed/, text);
      assert.equal(code, 0);
    } finally {
      await rm(out, { recursive: true, force: true });
    }
  },
);
