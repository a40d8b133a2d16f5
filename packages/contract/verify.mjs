#!/usr/bin/env node
// Verifies an exported Gatehouse log without Gatehouse. Needs Node 20 and nothing else; shares no code with the server. Read it, then run:
//
//   node verify.mjs export.jsonl --key <vkey> [--checkpoint older.txt]...
//
// `--key` is the log's verification key, as you noted it down when you trusted the deployment; `--checkpoint` is a checkpoint that you kept
// from an earlier day. Without one, this proves that the export is what the key's owner signed last; with one, also that nothing that you
// had seen then was changed or removed since.
// Exit status: 0 verified; 1 something is wrong, and the first bad position is named; 2 the input cannot be used.
import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

class Unusable extends Error {}
class Bad extends Error {}
const unusable = (says) => {
  throw new Unusable(says);
};
const bad = (says) => {
  throw new Bad(says);
};
const sha256 = (...parts) => parts.reduce((h, p) => h.update(p), createHash('sha256')).digest();

// ---- canonical JSON (RFC 8785): members sorted by UTF-16 code units, no spaces, numbers and strings as ECMAScript writes them
function canonical(v) {
  if (v === null || typeof v === 'boolean') return String(v);
  if (typeof v === 'number') return Number.isFinite(v) ? JSON.stringify(v) : bad('a number without canonical form');
  if (typeof v === 'string') return v.isWellFormed() ? JSON.stringify(v) : bad('a text that is not Unicode');
  if (Array.isArray(v)) return `[${v.map(canonical).join(',')}]`;
  return `{${Object.keys(v)
    .sort()
    .map((k) => `${canonical(k)}:${canonical(v[k])}`)
    .join(',')}}`;
}

// ---- the tree (RFC 6962): leaves are hashed after a zero byte, inner nodes after a one
const leafOf = (header) => sha256(Buffer.of(0), canonical(header));
const join = (l, r) => sha256(Buffer.of(1), l, r);
/** Roots of the first n leaves, for each n of `sizes`; none where a leaf is missing. On the stack lie perfect trees, larger ones first. */
function rootsOf(leaves, sizes) {
  const roots = new Map(sizes.includes(0) ? [[0, sha256('')]] : []);
  const stack = [];
  for (let i = 0; i < Math.max(...sizes) && leaves.at(i); i++) {
    let node = leaves.at(i);
    for (let n = i; n % 2 === 1; n = (n - 1) / 2) node = join(stack.pop(), node);
    stack.push(node);
    if (sizes.includes(i + 1))
      roots.set(
        i + 1,
        stack.reduceRight((right, left) => join(left, right)),
      );
  }
  return roots;
}
/** Hashes by position in one growing piece of memory, 32 bytes each; zeros mean that there is none. */
function shelf() {
  let bytes = Buffer.alloc(1 << 16);
  const none = Buffer.alloc(32);
  return {
    put(i, hash) {
      while ((i + 1) * 32 > bytes.length) bytes = Buffer.concat([bytes, Buffer.alloc(bytes.length)]);
      hash.copy(bytes, i * 32);
    },
    at(i) {
      const hash = bytes.subarray(i * 32, i * 32 + 32);
      return hash.length === 32 && !hash.equals(none) ? hash : undefined;
    },
  };
}
/** RFC 9162 §2.1.4.2: whether `proof` shows that the tree of n leaves begins with that of m. */
function consistent(m, n, rootM, rootN, proof) {
  if (m === n) return proof.length === 0 && rootM.equals(rootN);
  let [f, s] = [m - 1, n - 1];
  const half = () => {
    f = Math.floor(f / 2);
    s = Math.floor(s / 2);
  };
  while (f % 2 === 1) half();
  const [first, ...rest] = f === 0 ? [rootM, ...proof] : proof;
  if (!first) return false;
  let [a, b] = [first, first];
  for (const h of rest) {
    if (s === 0) return false;
    if (f % 2 === 1 || f === s) {
      [a, b] = [join(h, a), join(h, b)];
      while (f % 2 === 0 && f !== 0) half();
    } else b = join(b, h);
    half();
  }
  return s === 0 && a.equals(rootM) && b.equals(rootN);
}

// ---- signed notes (C2SP signed-note, tlog-checkpoint)
function readKey(vkey) {
  const [, name, id, b64] =
    /^(\S+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey.trim()) ??
    unusable(`--key is not a verification key: ${vkey}`);
  const raw = Buffer.from(b64, 'base64');
  if (raw.length !== 33 || raw[0] !== 1) unusable('--key is not an Ed25519 key');
  if (sha256(`${name}\n`, raw).subarray(0, 4).toString('hex') !== id)
    unusable('--key is damaged: its id does not belong to its name and key');
  const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw.subarray(1)]);
  return { name, id, key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}
/** The stated size and root, if the note names this log and our key signed it. `where` is for the message. */
function openNote(note, key, where) {
  const end = note.indexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [origin, size, root] = text.split('\n');
  if (end < 0 || !/^\d{1,15}$/.test(size ?? '') || Buffer.from(root ?? '', 'base64').length !== 32)
    bad(`${where} is not a checkpoint`);
  const says = `${where} (size ${size})`;
  if (origin !== key.name) bad(`${says} is of the log ${origin}, the key is of ${key.name}`);
  const ours = note
    .slice(end + 2)
    .split('\n')
    .map((l) => /^— (\S+) (\S+)$/.exec(l))
    .filter((m) => m && m[1] === key.name)
    .map((m) => Buffer.from(m[2], 'base64'))
    .filter((b) => b.subarray(0, 4).toString('hex') === key.id);
  if (ours.length === 0) bad(`${says} is not signed by the key ${key.name}+${key.id}`);
  if (!ours.every((b) => verifySignature(null, Buffer.from(text), key.key, b.subarray(4))))
    bad(`the signature of ${says} is false: position ${size} and what is before it are not vouched for`);
  return { size: Number(size), root: Buffer.from(root, 'base64'), where: says };
}

// ---- the export
async function readExport(file) {
  const out = {
    manifest: undefined,
    next: 0,
    rows: shelf(),
    tiles: shelf(),
    notes: [],
    proofs: [],
    firstBad: undefined,
    lines: 0,
  };
  const wrong = (position, says) => {
    if (!out.firstBad || position < out.firstBad.position) out.firstBad = { position, says };
  };
  const input = createReadStream(file);
  input.on('error', (e) => {
    console.error(`unusable: ${e.message}`);
    process.exit(2);
  });
  for await (const text of createInterface({ input, crlfDelay: Infinity })) {
    out.lines++;
    let line;
    try {
      line = JSON.parse(text);
    } catch {
      line = undefined;
    }
    if (typeof line !== 'object' || line === null) {
      if (!out.manifest) unusable('the first line is not JSON: this is not an export');
      wrong(
        out.next,
        `line ${out.lines} is not JSON; the file was cut off or damaged while the event at position ${out.next} was to come`,
      );
      break;
    }
    if (!out.manifest || line.format !== undefined) readManifest(out, line);
    else if (line.seq !== undefined) readRow(out, line, wrong);
    else if (line.leaves !== undefined) {
      const hashes = Buffer.from(String(line.hashes), 'base64');
      for (let i = 0; i + 32 <= hashes.length; i += 32)
        if (position(line.leaves + i / 32, out)) out.tiles.put(line.leaves + i / 32, hashes.subarray(i, i + 32));
    } else if (line.checkpoint !== undefined) out.notes.push(String(line.checkpoint));
    else if (line.consistency !== undefined) out.proofs.push(line.consistency);
    else wrong(out.next, `line ${out.lines} is nothing that an export has`);
  }
  if (!out.manifest) unusable('the file is empty');
  if (out.next < out.manifest.size)
    wrong(
      out.next,
      `the event at position ${out.next} is missing: the export ends before the ${out.manifest.size} events that it announces`,
    );
  return out;
}
/** The first line; and, in an export that was resumed, the first line of what was appended. */
function readManifest(out, m) {
  if (m.format !== 'gatehouse-audit-1') unusable(`the first line does not announce the format gatehouse-audit-1`);
  if (!Number.isSafeInteger(m.size) || !Number.isSafeInteger(m.from) || m.from < 0 || m.size < m.from)
    unusable('the first line has no usable size');
  if (!out.manifest) [out.manifest, out.next] = [{ ...m }, m.from];
  else if (m.log !== out.manifest.log || m.origin !== out.manifest.origin || m.from !== out.next)
    unusable(`line ${out.lines} begins another export, not the rest of this one`);
  else out.manifest.size = Math.max(out.manifest.size, m.size);
}
const position = (n, out) => Number.isSafeInteger(n) && n >= 0 && n < out.manifest.size;
function readRow(out, row, wrong) {
  const at = out.next;
  if (!position(row.seq, out))
    return wrong(at, `an event claims the position ${row.seq}, which this log does not have`);
  if (row.seq > at) wrong(at, `the event at position ${at} is missing; the next one says position ${row.seq}`);
  else if (row.seq < at) return wrong(row.seq, `position ${row.seq} comes twice or out of order`);
  out.next = row.seq + 1;
  try {
    out.rows.put(row.seq, leafOf(row.header));
    if (row.header.seq !== row.seq)
      wrong(row.seq, `the event at position ${row.seq} says that it is at ${row.header.seq}`);
    if (row.header.log !== out.manifest.log) wrong(row.seq, `the event at position ${row.seq} is of another log`);
    const committed = sha256(Buffer.from(row.salt, 'hex'), canonical(row.data)).toString('hex');
    if (committed !== row.header.data) out.opens ??= { position: row.seq };
  } catch (e) {
    wrong(row.seq, `the event at position ${row.seq} has no canonical form: ${e.message}`);
  }
}

/** The first position where something is wrong that the hashes alone can name: where rows and stored leaf hashes part. */
function compare(x, head, treeHolds) {
  for (let i = x.manifest.from; i < head.size; i++) {
    if (x.firstBad && i >= x.firstBad.position) return x.firstBad;
    const [row, tile] = [x.rows.at(i), x.tiles.at(i)];
    if (row && tile && row.equals(tile)) {
      if (x.opens?.position === i)
        return {
          position: i,
          says: `the data or the salt of the event at position ${i} is not what its header commits to`,
        };
      continue;
    }
    if (treeHolds)
      return { position: i, says: `the header of the event at position ${i} is not the one that was signed` };
    if (rootsOf(x.rows, [head.size]).get(head.size)?.equals(head.root))
      return {
        position: i,
        says: `the stored leaf hash of position ${i} was changed; the event itself is the one that was signed`,
      };
    return {
      position: i,
      says: `the event and the stored leaf hash of position ${i} disagree, and neither gives the signed root`,
    };
  }
  return x.firstBad;
}

function checkAll(x, key, kept, ok) {
  const { size, from, origin, log } = x.manifest;
  if (origin !== key.name) bad(`the export is of ${origin}, the key is of ${key.name}`);
  if (x.notes.length === 0)
    bad(
      x.firstBad
        ? `first bad position ${x.firstBad.position}: ${x.firstBad.says}`
        : `first bad position ${size}: the export has no checkpoint, so nobody vouches for its ${size} events`,
    );
  const inside = x.notes
    .map((n, i) => openNote(n, key, `checkpoint ${i + 1} of the export`))
    .sort((a, b) => a.size - b.size);
  const outside = kept.map(({ name, note }) => openNote(note, key, `the kept checkpoint ${name}`));
  ok(`${inside.length + outside.length} checkpoint(s) signed by ${key.name}+${key.id}`);

  const head = inside.at(-1);
  for (const k of outside)
    if (k.size > head.size)
      bad(
        `first bad position ${head.size}: ${k.where} says there were ${k.size} events, the log now ends after ${head.size}; the last ${k.size - head.size} were removed`,
      );
  if (head.size < size)
    bad(`first bad position ${head.size}: the newest checkpoint covers ${head.size} of ${size} events`);
  const all = [...inside, ...outside].sort((a, b) => a.size - b.size);
  const roots = rootsOf(
    x.tiles,
    all.map((c) => c.size),
  );
  const holds = (c) => roots.get(c.size)?.equals(c.root) ?? false;
  const first = compare(x, head, holds(head));
  if (first) bad(`first bad position ${first.position}: ${first.says}`);

  // Rows and leaf hashes agree with each other. If they were rewritten together, only signatures show it: between which two, we can say.
  let sound = 0;
  for (const c of all) {
    if (!holds(c))
      bad(
        `first bad position at least ${sound}, below ${c.size}: ${c.where} was signed for other events; rows and tree were rewritten together`,
      );
    sound = c.size;
  }
  ok(
    `${size - from} event(s), positions ${from} to ${size - 1} of ${log}: dense, each in the signed tree, each with the data that it commits to`,
  );
  for (const k of outside) ok(`${k.where} is of this log's own past: nothing of it was changed or removed`);

  for (let i = 1; i < inside.length; i++) {
    const [a, b] = [inside[i - 1], inside[i]];
    const proof = x.proofs.find((p) => p.from === a.size && p.to === b.size);
    const hashes = Array.isArray(proof?.hashes) ? proof.hashes.map((h) => Buffer.from(String(h), 'base64')) : [];
    if (a.size !== b.size && !consistent(a.size, b.size, a.root, b.root, hashes))
      bad(
        `first bad position ${a.size}: the stored tree cannot prove that it grew from ${a.size} to ${b.size}; its upper tiles were changed`,
      );
  }
  if (inside.length > 1) ok(`${inside.length - 1} consistency proof(s), from size ${inside[0].size} to ${head.size}`);
}

const [file, ...rest] = process.argv.slice(2);
const given = { key: undefined, kept: [] };
const ok = (says) => console.log(`ok: ${says}`);
try {
  for (let i = 0; i < rest.length; i += 2) {
    if (rest[i] === '--key' && rest[i + 1]) given.key = readKey(rest[i + 1]);
    else if (rest[i] === '--checkpoint' && rest[i + 1])
      given.kept.push({ name: rest[i + 1], note: readFileSync(rest[i + 1], 'utf8') });
    else unusable(`I do not know ${rest[i]}`);
  }
  if (!file || file.startsWith('--') || !given.key)
    unusable('usage: node verify.mjs export.jsonl --key <vkey> [--checkpoint older.txt]...');
  checkAll(await readExport(file), given.key, given.kept, ok);
  console.log('verified');
} catch (e) {
  console.log(e instanceof Bad ? `BAD: ${e.message}` : `unusable: ${e.message}`);
  process.exitCode = e instanceof Bad ? 1 : 2;
}
