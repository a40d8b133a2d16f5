import assert from 'node:assert/strict';
import { constants, crc32, deflateRawSync } from 'node:zlib';
import { test } from 'node:test';
import fc from 'fast-check';
import { docx, docxParts, pdf, pptx, pptxParts, xlsx, xlsxParts, zipped } from '#dev/office-files.ts';
import { Problem } from '#kernel/problem.ts';
import { TextOut } from './text-out.ts';
import { htmlToText } from './html-text.ts';
import { toText } from './to-text.ts';
import { Zip } from './zip.ts';

const good = {
  docx: docx([{ heading: 'Plan' }, { item: 'one' }, { rows: [['a', 'b']] }, { text: 'x', link: 'https://a.example/' }]),
  xlsx: xlsx({ Sheet: [['a', 1, { date: 45_000 }]] }),
  pptx: pptx([{ title: 'T', texts: ['x'], notes: 'n' }]),
  pdf: pdf([['Hello there'], ['More']]),
};

const refusedAs =
  (...codes: string[]) =>
  (e: unknown) =>
    e instanceof Problem && codes.includes(e.code) ? true : assert.fail(String(e instanceof Error ? e.stack : e));

const withPart = (parts: Record<string, string>, name: string, change: (xml: string) => string): Uint8Array =>
  zipped({ ...parts, [name]: change(parts[name] ?? '') });

const document = 'word/document.xml';
const parts = docxParts([{ text: 'Hello' }]);
const hostile: [string, () => Uint8Array, string, RegExp?][] = [
  [
    'XML entities that expand',
    () =>
      withPart(parts, document, (x) =>
        x.replace('?>\n', '?>\n<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'),
      ),
    'connectors/content-broken',
    /defines a document type/,
  ],
  [
    'an XML entity from a file',
    () => withPart(parts, '_rels/.rels', (x) => x.replace('?>\n', '?>\n<!DOCTYPE d SYSTEM "file:///etc/passwd">')),
    'connectors/content-broken',
    /defines a document type/,
  ],
  [
    'an unknown entity',
    () => withPart(parts, document, (x) => x.replace('Hello', '&xxe;')),
    'connectors/content-broken',
  ],
  [
    'XML of a million levels',
    () => withPart(parts, document, (x) => x.replace('<w:body>', `<w:body>${'<w:p>'.repeat(1e6)}`)),
    'connectors/content-too-hard',
  ],
  [
    'a part that unpacks to more than 64 MiB',
    () => withPart(parts, document, (x) => x.replace('Hello', 'x'.repeat(65 * 2 ** 20))),
    'connectors/content-too-hard',
  ],
  [
    'a part that is packed a thousand to one',
    () => withPart(parts, document, (x) => x.replace('Hello', ' '.repeat(20 * 2 ** 20))),
    'connectors/content-too-hard',
  ],
  [
    'two parts of which one leads out of the file',
    () => zipped({ ...parts, '../../evil': 'x' }),
    'connectors/content-broken',
  ],
  [
    'ten thousand parts and more',
    () => zipped({ ...parts, ...Object.fromEntries(Array.from({ length: 10_001 }, (_, i) => [`f${i}`, ''])) }),
    'connectors/content-too-hard',
  ],
  [
    'a million and one cells',
    () =>
      withPart(xlsxParts({ S: [[1]] }), 'xl/worksheets/sheet1.xml', (x) =>
        x.replace(
          '</row>',
          `${'<c><v>1</v></c>'.repeat(1_000_001).replace(/1<\/v><\/c>$/, `${Math.PI}</v></c>`)}</row>`,
        ),
      ),
    'connectors/content-too-hard',
  ],
  [
    'a slide that refers out of the file',
    () =>
      withPart(pptxParts([{ title: 'T', texts: [] }]), 'ppt/_rels/presentation.xml.rels', (x) =>
        x.replace('slides/', '../../../'),
      ),
    'connectors/content-broken',
  ],
];
for (const [what, file, code, says = /./] of hostile)
  test(`a file with ${what} is refused, and the next file is read`, async () => {
    const refused: unknown = await toText({ bytes: file() }).catch((e: unknown) => e);
    assert.ok(refused instanceof Problem, 'it was read');
    assert.equal(refused.code, code);
    assert.match(refused.says, says);
    assert.match((await toText({ bytes: good.docx })).text, /Plan/);
  });

test('a part that unpacks to more than the file says is refused after exactly so many bytes', async () => {
  const bomb = deflateRawSync(Buffer.alloc(50 * 2 ** 20, 32));
  const small = Buffer.from(zipped({ ...parts, [document]: 'x' }));
  // The directory's entry and the part itself are exchanged for the bomb; both still say that one byte comes out.
  const at = small.indexOf(document) - 30;
  const length = small.readUInt32LE(at + 18);
  const begin = at + 30 + document.length;
  const file = Buffer.concat([small.subarray(0, begin), bomb, small.subarray(begin + length)]);
  const grown = bomb.length - length;
  file.writeUInt32LE(bomb.length, at + 18);
  let central = file.indexOf('PK\x01\x02', begin + bomb.length, 'latin1');
  const start = central;
  for (; central >= 0; central = file.indexOf('PK\x01\x02', central + 4, 'latin1')) {
    if (file.subarray(central + 46).toString('utf8', 0, document.length) === document)
      file.writeUInt32LE(bomb.length, central + 20);
    else if (file.readUInt32LE(central + 42) > at)
      file.writeUInt32LE(file.readUInt32LE(central + 42) + grown, central + 42);
  }
  file.writeUInt32LE(start, file.length - 22 + 16);
  await assert.rejects(toText({ bytes: file }), refusedAs('connectors/content-broken'));
});

test('parts that lie on top of each other, by which a small file holds a very large one, are refused', async () => {
  const local = (name: string, data: Buffer): Buffer => {
    const b = Buffer.alloc(30);
    b.writeUInt32LE(0x04034b50, 0);
    b.writeUInt32LE(crc32(data), 14);
    b.writeUInt32LE(data.length, 18);
    b.writeUInt32LE(data.length, 22);
    b.writeUInt16LE(name.length, 26);
    return Buffer.concat([b, Buffer.from(name), data]);
  };
  const central = (name: string, data: Buffer, at: number): Buffer => {
    const b = Buffer.alloc(46);
    b.writeUInt32LE(0x02014b50, 0);
    b.writeUInt32LE(crc32(data), 16);
    b.writeUInt32LE(data.length, 20);
    b.writeUInt32LE(data.length, 24);
    b.writeUInt16LE(name.length, 28);
    b.writeUInt32LE(at, 42);
    return Buffer.concat([b, Buffer.from(name)]);
  };
  const file = (apart: boolean): Buffer => {
    const inner = local('inner', Buffer.from('x'));
    const outer = local('outer', inner);
    const body = apart ? Buffer.concat([outer, inner]) : outer;
    const list = Buffer.concat([
      central('outer', inner, 0),
      central('inner', Buffer.from('x'), apart ? outer.length : outer.length - inner.length),
    ]);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50, 0);
    end.writeUInt16LE(2, 10);
    end.writeUInt32LE(list.length, 12);
    end.writeUInt32LE(body.length, 16);
    return Buffer.concat([body, list, end]);
  };
  assert.equal(new Zip(file(true)).read('inner')?.toString(), 'x');
  assert.throws(() => new Zip(file(false)), /on top of each other/);
  // What a file begins with decides whether it is looked at as a zip at all.
  await assert.rejects(toText({ bytes: file(false) }), refusedAs('connectors/content-too-hard'));
});

test('a PDF whose page unpacks to gigabytes ends when it has taken what memory a file may, and the next file is read', async () => {
  // Blocks that end on a byte can be repeated: 2 GiB in two megabytes.
  const block = deflateRawSync(Buffer.alloc(64 * 2 ** 20, 32), { finishFlush: constants.Z_FULL_FLUSH });
  const data = Buffer.concat([Buffer.from([0x78, 0x9c]), ...Array.from({ length: 32 }, () => block)]);
  const begin =
    '%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n' +
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Contents 4 0 R >>\nendobj\n4 0 obj\n<< /Filter /FlateDecode /Length ${data.length} >>\nstream\n`;
  const end = Buffer.from('\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n');
  await assert.rejects(
    toText({ bytes: Buffer.concat([Buffer.from(begin), data, end]) }, {}, { timeoutMs: 60_000 }),
    /more memory than a file may/,
  );
  assert.match((await toText({ bytes: good.pdf })).text, /Hello/);
});

test('whoever stops waiting frees the thread for the next, and a file that nobody waits for is not read', async () => {
  const slow = docx(Array.from({ length: 60_000 }, () => ({ rows: [['a', 'b', 'c']] })));
  const asked = new AbortController();
  const both = [1, 2, 3].map(() => toText({ bytes: slow }, {}, { signal: asked.signal, timeoutMs: 600_000 }));
  setTimeout(() => asked.abort(new Error('no longer')), 300);
  for (const r of await Promise.allSettled(both))
    assert.match(String(r.status === 'rejected' && r.reason), /no longer/);
  assert.match((await toText({ bytes: good.docx })).text, /Plan/);
});

test('a cell in the last row and column of a sheet is written with its place, not behind a million commas', async () => {
  const file = withPart(xlsxParts({ S: [[1]] }), 'xl/worksheets/sheet1.xml', (x) =>
    x.replace('</sheetData>', '<row r="1048576"><c r="XFD1048576"><v>7</v></c></row></sheetData>'),
  );
  const r = await toText({ bytes: file });
  assert.equal(r.text, '## S\n1\n(rows 2 to 1048575 are empty)\nXFD1048576: 7\n\n');
});

test('a file that takes for ever holds up nobody who comes with another', async () => {
  // Mammoth takes long over this one; whether it gets through or not, it ends.
  const slow = docx(Array.from({ length: 60_000 }, () => ({ rows: [['a', 'b', 'c']] })));
  const [first, other] = await Promise.allSettled([
    toText({ bytes: slow }, {}, { timeoutMs: 1000 }),
    toText({ bytes: Buffer.from('quick') }),
  ]);
  assert.ok(other.status === 'fulfilled' && other.value.text === 'quick');
  if (first.status === 'rejected') refusedAs('connectors/content-too-hard')(first.reason);
});

for (const [kind, file] of Object.entries(good))
  test(`a ${kind} file with any of its bytes changed, cut or doubled is read or refused, never more than that`, async () => {
    let read = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.constantFrom('set', 'cut', 'double', 'end')), {
          minLength: 1,
          maxLength: 4,
        }),
        async (edits) => {
          let bytes = Buffer.from(file);
          for (const [where, to, how] of edits) {
            const at = where % Math.max(1, bytes.length);
            if (how === 'set' && bytes.length > 0) bytes[at] = to;
            else if (how === 'cut') bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + (to % 40))]);
            else if (how === 'double')
              bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - to))]);
            else if (to < 40) bytes = bytes.subarray(0, at);
          }
          try {
            const r = await toText({ bytes });
            assert.ok(r.text.length <= 200_000);
            read++;
          } catch (e) {
            refusedAs(
              'connectors/content-broken',
              'connectors/content-unsupported',
              'connectors/content-encrypted',
              'connectors/content-too-hard',
            )(e);
          }
        },
      ),
      { numRuns: 300 },
    );
    assert.ok(read > 0, 'some edits change nothing');
  });

test('a Word document whose XML is changed anywhere is read or refused', async () => {
  const pieces = [
    '<w:p>',
    '</w:p>',
    '<!--',
    '<![CDATA[',
    '&#0;',
    '<w:hyperlink r:id="none">',
    '<w:tbl><w:tr/>',
    '"',
    '>',
    '<w:footnoteReference w:id="9"/>',
  ];
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.constantFrom(...pieces), async (where, piece) => {
      const file = withPart(parts, document, (x) => x.slice(0, where % x.length) + piece + x.slice(where % x.length));
      await toText({ bytes: file }).then(
        () => undefined,
        refusedAs('connectors/content-broken', 'connectors/content-too-hard'),
      );
    }),
    { numRuns: 300 },
  );
});

test('any HTML at all becomes text, in time that grows with its length', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.constantFrom(
          '<p',
          '>',
          '<a href="',
          '"',
          '<li>',
          '</ul>',
          '<script>',
          '<!--',
          '&amp',
          '<td>',
          "'",
          '<p style="display:none">',
          'x',
          ' ',
          '<b/>',
          '<',
          '</p>',
        ),
      ),
      (tokens) => {
        const out = new TextOut(0, 10_000);
        htmlToText(tokens.join(''), out);
        assert.ok(out.done().text.isWellFormed());
      },
    ),
    { numRuns: 3000 },
  );
  for (const bomb of [
    '<',
    '<a ',
    '<p "',
    '<!--',
    '<a href="x">',
    '<div>',
    "<p '",
    '&',
    '<script>',
    '<p a=b ',
    '<b="\'',
    '<b ="',
  ])
    htmlToText(bomb.repeat(300_000), new TextOut(0, 200_000));
});
