import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeSigner, readCheckpoint } from '@gatehouse/contract/checkpoint.ts';
import { testDb } from '#dev/test-db.ts';
import type { OrgCtx } from '#kernel/ctx.ts';
import { newId } from '#kernel/id.ts';
import { signerOf } from './checkpoint-key.ts';
import { exportLog } from './export-log.ts';
import { orgCtx, writeEvents } from './log-fixture.ts';
import { startSequencer } from './sequencer.ts';

// Every case tampers as the database's superuser, exports again through the server, and lets the verifier, which knows neither, judge.
const t = await testDb();
const world = await t.world();
const sequencer = startSequencer({ world: { ...world, db: t.as('gatehouse_sequencer') }, gather: 1, poll: 20 });
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-verify-'));
const verifier = fileURLToPath(import.meta.resolve('@gatehouse/contract/verify.mjs'));
after(async () => {
  await sequencer.stop();
  await t.close();
  rmSync(folder, { recursive: true });
});

/** A log of 600 events with checkpoints at 200 and 600. */
async function written(): Promise<OrgCtx> {
  const ctx = orgCtx(world);
  await writeEvents(ctx, 200);
  await sequencer.settled();
  await writeEvents(ctx, 400, 200);
  await sequencer.settled();
  return ctx;
}

async function exported(ctx: OrgCtx, from = 0): Promise<string> {
  // The export leaves an event itself; it goes to another log here, so that the tampered one stays as the case left it.
  const elsewhere = { ...ctx, org: newId('org') };
  const { lines } = await exportLog(
    { ...elsewhere, db: { ...ctx.db, read: (_, work) => ctx.db.read({ parent: ctx.parent, org: ctx.org }, work) } },
    ctx.org,
    {
      format: 'jsonl',
      from,
      vocabulary: {},
    },
  );
  let out = '';
  for await (const line of lines) out += line;
  return out;
}

function verify(ctx: OrgCtx, text: string, ...more: string[]): { status: number | null; says: string } {
  const file = join(folder, `${newId('exp')}.jsonl`);
  writeFileSync(file, text);
  const r = spawnSync(process.execPath, [verifier, file, '--key', signerOf(world, ctx.org).vkey, ...more], {
    encoding: 'utf8',
  });
  return { status: r.status, says: r.stdout + r.stderr };
}
const kept = (text: string): string[] => {
  const file = join(folder, `${newId('chk')}.txt`);
  writeFileSync(file, text);
  return ['--checkpoint', file];
};
const noteAt = async (ctx: OrgCtx, size: number): Promise<string> =>
  (await t.super<{ note: string }>('select note from audit_checkpoint where log = $1 and size = $2', ctx.org, size))[0]!
    .note;

test('an untouched export verifies, with a line for every check', async () => {
  const ctx = await written();
  const { status, says } = verify(ctx, await exported(ctx), ...kept(await noteAt(ctx, 200)));
  assert.equal(status, 0, says);
  assert.match(says, /^ok: 3 checkpoint\(s\) signed by localhost:0\/audit\/org_/m);
  assert.match(says, /^ok: 600 event\(s\), positions 0 to 599 of org_\w+: dense/m);
  assert.match(says, /^ok: the kept checkpoint .* nothing of it was changed or removed$/m);
  assert.match(says, /^ok: 1 consistency proof\(s\), from size 200 to 600$/m);
  assert.match(says, /^verified$/m);
});

test('an export that begins later verifies by itself, and one that broke off and was resumed verifies whole', async () => {
  const ctx = await written();
  const tail = await exported(ctx, 450);
  assert.equal(verify(ctx, tail).status, 0);
  const head = (await exported(ctx)).split('\n').slice(0, 451).join('\n');
  const { status, says } = verify(ctx, `${head}\n${tail}`);
  assert.equal(status, 0, says);
  assert.match(says, /600 event\(s\), positions 0 to 599/);
});

const row = (set: string, seq = 317): string => `update audit_event set ${set} where log = $1 and seq = ${seq}`;
const leafBit = (seq: number): string => {
  const byte = (seq % 256) * 32;
  return `update audit_tile set hashes = set_byte(hashes, ${byte}, get_byte(hashes, ${byte}) # 1) where log = $1 and level = 0 and index = ${Math.floor(seq / 256)}`;
};
for (const [what, edits, says] of [
  [
    'a header altered',
    [row(`header = jsonb_set(header, '{type}', '"audit.exported"')`)],
    /first bad position 317: the header of the event at position 317 is not the one that was signed/,
  ],
  ['the actor of an event removed', [row(`header = header - 'actor'`)], /first bad position 317: the header/],
  ['data altered', [row(`data = jsonb_set(data, '{from}', '1')`)], /first bad position 317: the data or the salt/],
  [
    'a salt altered',
    [row(`salt = set_byte(salt, 3, get_byte(salt, 3) # 1)`)],
    /first bad position 317: the data or the salt/,
  ],
  [
    'data altered and its commitment too',
    [row(`data = '{}', commitment = sha256(salt || '{}')`)],
    /first bad position 317: the header/,
  ],
  [
    'a row deleted',
    ['delete from audit_event where log = $1 and seq = 317'],
    /first bad position 317: the event at position 317 is missing/,
  ],
  [
    'a row deleted and the rest moved up',
    [
      'delete from audit_event where log = $1 and seq = 317',
      'update audit_event set seq = seq - 1 where log = $1 and seq > 317',
    ],
    /first bad position 317: the header/,
  ],
  [
    'a row inserted at a position that was taken',
    [
      `insert into audit_event select log, seq, at + interval '1 second', id, type, actor, connector, call, '{}', data, salt, commitment, leaf from audit_event where log = $1 and seq = 317`,
    ],
    /first bad position 317: position 317 comes twice/,
  ],
  [
    'a row inserted between two others',
    [
      'update audit_event set seq = seq + 1000 where log = $1 and seq >= 317',
      'update audit_event set seq = seq - 999 where log = $1 and seq >= 1000',
      `insert into audit_event select log, 317, at, id, type, actor, connector, call, header, data, salt, commitment, leaf from audit_event where log = $1 and seq = 5`,
    ],
    /first bad position 317: the header/,
  ],
  [
    'two rows exchanged',
    [
      'update audit_event set seq = case seq when 317 then 1420 else 1317 end where log = $1 and seq in (317, 420)',
      'update audit_event set seq = seq - 1000 where log = $1 and seq > 1000',
    ],
    /first bad position 317: the header/,
  ],
  [
    'the last rows deleted',
    ['delete from audit_event where log = $1 and seq >= 590'],
    /first bad position 590: the event at position 590 is missing/,
  ],
  [
    'a stored leaf hash altered',
    [leafBit(317)],
    /first bad position 317: the stored leaf hash of position 317 was changed; the event itself is the one that was signed/,
  ],
  [
    'a leaf hash altered and, later, a row',
    [leafBit(100), row(`data = '{}', commitment = sha256(salt || '{}')`)],
    /first bad position 100: /,
  ],
  [
    'an upper tile altered',
    [`update audit_tile set hashes = set_byte(hashes, 40, get_byte(hashes, 40) # 1) where log = $1 and level = 1`],
    /first bad position 200: the stored tree cannot prove that it grew from 200 to 600/,
  ],
  [
    'a leaf tile deleted',
    ['delete from audit_tile where log = $1 and level = 0 and index = 1'],
    /first bad position 256: the stored leaf hash of position 256/,
  ],
  [
    'the checkpoint of size 200 altered',
    [`update audit_checkpoint set note = replace(note, E'\\n200\\n', E'\\n201\\n') where log = $1 and size = 200`],
    /the signature of checkpoint 1 of the export \(size 201\) is false/,
  ],
] as const)
  test(`the verifier finds ${what}, and where`, async () => {
    const ctx = await written();
    for (const edit of edits) await t.super(edit, ctx.org);
    const r = verify(ctx, await exported(ctx));
    assert.equal(r.status, 1, r.says);
    assert.match(r.says, says);
    assert.doesNotMatch(r.says, /^verified$/m);
  });

test('a row and its leaf hash rewritten together are found between two checkpoints', async () => {
  const ctx = await written();
  await t.super(row(`header = jsonb_set(header, '{type}', '"audit.exported"')`), ctx.org);
  const [, ...lines] = (await exported(ctx)).split('\n');
  const { sha256 } = await import('@gatehouse/contract/sha256.ts');
  const { jcs } = await import('@gatehouse/contract/jcs.ts');
  const header = (JSON.parse(lines[317]!) as { header: object }).header;
  const leaf = sha256(Buffer.concat([Buffer.of(0), Buffer.from(jcs(header))]));
  await t.super(
    `update audit_tile set hashes = overlay(hashes placing $2::bytea from ${(317 - 256) * 32 + 1}) where log = $1 and level = 0 and index = 1`,
    ctx.org,
    leaf,
  );
  const r = verify(ctx, await exported(ctx));
  assert.equal(r.status, 1, r.says);
  assert.match(r.says, /first bad position at least 200, below 600: .*rewritten together/);
});

test('a log cut back with everything that the database knows of it is found by whoever kept a checkpoint, and only by them', async () => {
  const ctx = await written();
  const [old, last] = [await noteAt(ctx, 200), await noteAt(ctx, 600)];
  await t.super('delete from audit_event where log = $1 and seq >= 200', ctx.org);
  await t.super('delete from audit_checkpoint where log = $1 and size = 600', ctx.org);
  await t.super('delete from audit_tile where log = $1 and (level = 1 or index > 0)', ctx.org);
  await t.super('update audit_tile set hashes = substr(hashes, 1, 6400) where log = $1', ctx.org);
  await t.super('update audit_head set size = 200 where log = $1', ctx.org);
  const text = await exported(ctx);
  assert.equal(verify(ctx, text, ...kept(old)).status, 0);
  const r = verify(ctx, text, ...kept(last));
  assert.equal(r.status, 1, r.says);
  assert.match(
    r.says,
    /first bad position 200: the kept checkpoint .* \(size 600\) says there were 600 events.* 400 were removed/,
  );
});

test('a history rewritten from the beginning and signed with another key is not believed', async () => {
  const ctx = await written();
  const stated = readCheckpoint(await noteAt(ctx, 600))!;
  const forged = makeSigner(stated.origin, Buffer.alloc(32, 5)).sign(stated);
  await t.super('update audit_checkpoint set note = $2 where log = $1 and size = 600', ctx.org, forged);
  const r = verify(ctx, await exported(ctx));
  assert.equal(r.status, 1, r.says);
  assert.match(r.says, /size 600\) is not signed by the key/);
});

test('two checkpoints of one size and different roots cannot both be believed', async () => {
  const ctx = await written();
  const split = signerOf(world, ctx.org).sign({ size: 600, root: Buffer.alloc(32, 1) });
  const r = verify(ctx, await exported(ctx), ...kept(split));
  assert.equal(r.status, 1, r.says);
  assert.match(r.says, /the kept checkpoint .* was signed for other events/);
});

for (const [what, edit, says] of [
  [
    'whose last lines are missing',
    (lines: string[]) => lines.slice(0, 301),
    /first bad position 300: the event at position 300 is missing/,
  ],
  [
    'that was cut in the middle of a line',
    (lines: string[]) => [...lines.slice(0, 300), lines[300]!.slice(0, 80)],
    /first bad position 299: line 301 is not JSON/,
  ],
  [
    'with two lines exchanged',
    (lines: string[]) => lines.with(101, lines[102]!).with(102, lines[101]!),
    /first bad position 100: the event at position 100 is missing; the next one says position 101/,
  ],
  [
    'with a line twice',
    (lines: string[]) => lines.toSpliced(101, 0, lines[100]!),
    /first bad position 99: position 99 comes twice/,
  ],
  [
    'with an event of position 7 that says it is at 8',
    (lines: string[]) => lines.with(8, lines[8]!.replace('"seq":7,"header":{', '"seq":7,"header":{"x":1,')),
    /first bad position 7: the header/,
  ],
  ['without checkpoints', (lines: string[]) => lines.filter((l) => !l.startsWith('{"checkpoint"')), /no checkpoint/],
] as const)
  test(`the verifier refuses a file ${what}`, async () => {
    const ctx = await written();
    const r = verify(ctx, edit((await exported(ctx)).split('\n')).join('\n'));
    assert.equal(r.status, 1, r.says);
    assert.match(r.says, says);
  });

for (const [what, args, says] of [
  ['a file that is not there', ['/nonexistent', '--key', 'K'], /unusable: ENOENT/],
  ['a file that is no export', ['SELF', '--key', 'K'], /unusable: the first line is not JSON/],
  ['no key', ['SELF'], /usage: /],
  ['a damaged key', ['SELF', '--key', 'a+00000000+AAAA'], /not an Ed25519 key/],
  ['an option it does not know', ['SELF', '--trust-me', 'x'], /I do not know --trust-me/],
] as const)
  test(`given ${what} the verifier says so and ends with status 2`, () => {
    const key = makeSigner('x/audit', Buffer.alloc(32, 1)).vkey;
    const r = spawnSync(
      process.execPath,
      [verifier, ...args.map((a) => (a === 'SELF' ? verifier : a === 'K' ? key : a))],
      { encoding: 'utf8' },
    );
    assert.equal(r.status, 2, r.stdout + r.stderr);
    assert.match(r.stdout + r.stderr, says);
  });
