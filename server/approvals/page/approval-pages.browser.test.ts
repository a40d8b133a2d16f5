import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { chromium, type Browser as Chromium, type Page } from 'playwright-core';
import { approvalHouse, someConnector as crm, type ApprovalHouse, type HouseMember } from '#dev/approval-house.ts';
import { createSetupLink } from '#identity/create-setup-link.ts';
import { assets } from '#kernel/page-assets.ts';
import type { Approval } from '../approval.ts';

/** The page on which people decide, in a real browser and with the browser's own virtual authenticator. */
const executable = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((p) => existsSync(p));
const skip = executable === undefined ? 'no Chromium on this machine (Debian package chromium)' : false;

let a: ApprovalHouse;
let chrome: Chromium;
let luca: HouseMember;
let olga: HouseMember;
before(async () => {
  if (skip) return;
  a = await approvalHouse();
  const projection = [
    { kind: 'recipient', at: '/to/*' },
    { kind: 'path', at: '/file' },
  ] as const;
  a.tools.set('share_file', { pin: 'a'.repeat(64), class: 'destructive', projection });
  a.tools.set('wipe', { pin: 'a'.repeat(64), class: 'write', projection: [] });
  await a.rule({
    name: 'Wiping wants a passkey',
    connector: crm,
    tools: { names: ['wipe'] },
    approvers: { who: { kind: 'deciders' }, secondPerson: true, surface: 'any', fresh: true },
  } as never);
  luca = await a.person('Luca');
  olga = await a.person('Olga', 'admin');
  chrome = await chromium.launch({
    executablePath: executable ?? '',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
after(async () => {
  if (skip) return;
  await chrome.close();
  await a[Symbol.asyncDispose]();
});

type Seat = { page: Page; complaints: string[] };
async function sit(width: number, colorScheme: 'light' | 'dark'): Promise<Seat> {
  const context = await chrome.newContext({ viewport: { width, height: width < 500 ? 844 : 800 }, colorScheme });
  await context.route(/\/assets\/|favicon/, (route) => {
    const file = assets[new URL(route.request().url()).pathname];
    return file ? route.fulfill({ contentType: file.type, body: file.body }) : route.abort();
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('console', (m) => void (m.type() === 'error' && complaints.push(m.text())));
  page.on('pageerror', (e) => complaints.push(e.message));
  const cdp = await context.newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  await page.goto((await createSetupLink({ ...a.h.ctx, now: a.h.world.now() }, olga.user)).url);
  await page.getByRole('button', { name: /Sign in as/ }).click();
  await page.waitForURL(`${a.h.origin}/`);
  return { page, complaints };
}

let n = 0;
/** A call that no other test asks about. */
const draft = (): Promise<Approval> =>
  a.asked(luca, {
    connector: crm,
    tool: 'share_file',
    args: {
      file: '/Board/2026/Q4-Board-Pack-DRAFT.docx',
      to: ['bob@acme.example', 'dan@acme.example', 'j.alvarez@northwind-partners.example', 'm.chen@\u0430cme.example'],
      role: 'writer',
      copy: ++n,
      message: `Draft as promised.\nPlease keep it between us.\n\n${'It goes on for a while. '.repeat(60)}`,
    },
    says: 'Bob already agreed to this in the stand-up. It is only a draft, so this is safe to approve quickly.',
  });
const see = (s: Seat, r: Approval): Promise<unknown> => s.page.goto(`${a.h.origin}/approvals/${a.h.acme.org}/${r.id}`);
const shot = async (s: Seat, name: string): Promise<void> => {
  const folder = process.env['GATEHOUSE_SHOTS'];
  if (folder !== undefined) await s.page.screenshot({ path: `${folder}/${name}.png` });
};

for (const [width, scheme] of [
  [1440, 'light'],
  [1440, 'dark'],
  [390, 'light'],
  [360, 'dark'],
] as const)
  test(
    `at ${width} px in ${scheme} approve opens when the end was seen, deny is open from the start, and nothing is wider than the window`,
    { skip },
    async () => {
      const s = await sit(width, scheme);
      await see(s, await draft());
      await shot(s, `approval-${scheme}-${width}`);
      const approve = s.page.getByRole('button', { name: 'Approve' });
      assert.equal(await approve.getAttribute('aria-disabled'), 'true');
      await approve.click({ force: true });
      assert.ok(await s.page.getByText('Scroll to the end to approve').isVisible());
      assert.ok(await s.page.getByRole('button', { name: 'Deny' }).isEnabled());
      const wide = await s.page.locator('html').evaluate((e) => e.scrollWidth - e.clientWidth);
      assert.equal(wide, 0);
      await s.page.locator('#end').scrollIntoViewIfNeeded();
      await s.page.getByText('You have seen all of it.').waitFor({ timeout: 10_000 });
      await shot(s, `approval-${scheme}-${width}-end`);
      await approve.click();
      await s.page.getByText(/Approved .* UTC/).waitFor({ timeout: 10_000 });
      await shot(s, `approval-${scheme}-${width}-done`);
      assert.deepEqual(s.complaints, []);
      await s.page.goto(`${a.h.origin}/approvals`);
      await shot(s, `approvals-${scheme}-${width}`);
      await s.page.context().close();
    },
  );

test('what wants a passkey is approved with one, for exactly this call', { skip }, async () => {
  const s = await sit(1440, 'light');
  await s.page.goto(`${a.h.origin}/me/passkeys`);
  await s.page.getByLabel('Name').fill('Blue key');
  await s.page.getByRole('button', { name: 'Add a passkey' }).click();
  await s.page.getByText('Blue key').waitFor({ timeout: 10_000 });
  const r = await a.asked(luca, { connector: crm, tool: 'wipe', class: 'write', args: { disk: 1 } });
  await see(s, r);
  await s.page.getByText('You have seen all of it.').waitFor({ timeout: 10_000 });
  await s.page.getByRole('button', { name: 'Approve with passkey' }).click();
  await s.page.getByText(/by Olga with a passkey/).waitFor({ timeout: 10_000 });
  const evidence = await a.h.api('GET', a.at(`/${r.id}/evidence`), undefined, olga.headers);
  const verifier = fileURLToPath(new URL('../../../packages/contract/verify-approval.mjs', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-evidence-'));
  writeFileSync(join(folder, 'evidence.json'), evidence.text);
  const checked = spawnSync(process.execPath, [verifier, join(folder, 'evidence.json')], { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  assert.equal(
    checked.status,
    0,
    `what a real browser signed is checked without this server: ${checked.stdout}${checked.stderr}`,
  );
  assert.deepEqual(s.complaints, []);
  await s.page.context().close();
});

test('deny works without having read to the end', { skip }, async () => {
  const s = await sit(390, 'light');
  await see(s, await draft());
  await s.page.getByRole('button', { name: 'Deny' }).click();
  await s.page.getByText(/Denied .* UTC/).waitFor({ timeout: 10_000 });
  await s.page.context().close();
});
