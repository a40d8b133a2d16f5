import { z } from 'zod';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { admitSoql, MAX_ROWS } from './admit-soql.ts';
import { describer } from './describe.ts';
import { printSoql } from './print-soql.ts';
import { idOf, Rec, recordLines } from './records.ts';
import { dataPath, salesforce, type SalesforceCall } from './salesforce-api.ts';
import { listed, ObjectName, openObject, otherObject, RecordId, salesforceSettings } from './settings.ts';
import { parseSoql } from './soql.ts';
import { soslSearch } from './sosl.ts';

const Result = z.looseObject({
  totalSize: z.number(),
  done: z.boolean(),
  nextRecordsUrl: z.string().optional(),
  records: z.array(Rec),
});

/** Pages that one query is followed over; wide rows come a few hundred at a time. */
const MAX_PAGES = 10;

/** All rows of a query that was admitted. The next page is under the same My Domain, or it is not followed. */
async function rowsOf(
  call: SalesforceCall,
  soql: string,
): Promise<{ total: number; rows: Rec[]; all: boolean; notes: string[] }> {
  let { value, notes } = await salesforce(
    call,
    { method: 'GET', path: dataPath(call, 'query'), query: { q: soql } },
    Result,
  );
  const total = value.totalSize;
  const rows = [...value.records];
  for (
    let page = 1;
    !value.done && value.nextRecordsUrl !== undefined && rows.length < MAX_ROWS && page < MAX_PAGES;
    page++
  ) {
    const next = /^\/services\/data\/v\d{2,3}\.\d\/query\/([A-Za-z0-9]{15,20}-\d{1,6})$/.exec(
      value.nextRecordsUrl,
    )?.[1];
    if (next === undefined)
      throw new VendorRefusal(
        0,
        'foreign_address',
        'Salesforce gives an address for the next page that is none; it is not followed',
      );
    ({ value, notes } = await salesforce(call, { method: 'GET', path: dataPath(call, 'query', next) }, Result));
    rows.push(...value.records);
  }
  return { total, rows, all: value.done, notes };
}

export const soqlQueryTool = builtinTool({
  name: 'soql_query',
  title: 'Query records',
  description: `Runs one SOQL SELECT over the objects that are open to this connector, with parents (Account.Name) and one level of children ((SELECT Email FROM Contacts)). At most ${MAX_ROWS} rows; go on with OFFSET (to 2000) or by a condition. Not taken: FOR UPDATE, FIELDS(), TYPEOF, aliases of objects, comments. Use describe for the names of fields.`,
  input: z.strictObject({
    objects: z
      .array(ObjectName)
      .min(1)
      .max(12)
      .describe('API names of all objects that the query reaches: in FROM, as parents, as children and in IN (…)'),
    query: z
      .string()
      .min(1)
      .max(4000)
      .describe("The query, like: SELECT Id, Name FROM Account WHERE Name LIKE 'Acme%' ORDER BY Name LIMIT 20"),
  }),
  class: 'read',
  projection: [
    { kind: 'folder', at: '/objects/*' },
    { kind: 'text', at: '/query' },
  ],
  scopes: ['api', 'full'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { objects, query }) {
    const s = salesforceSettings(call.settings);
    const soql = printSoql(await admitSoql(parseSoql(query), s, objects, describer(call)));
    const { total, rows, all, notes } = await rowsOf(call, soql);
    return textAnswer(
      [
        `${total} rows${rows.length < total || !all ? `, ${rows.length} of them here` : ''}`,
        ...rows.flatMap((r) => recordLines(r)),
        ...notes,
      ],
      { total, ids: rows.flatMap((r) => idOf(r) ?? []), soql },
      { ask: 'select fewer fields or rows' },
    );
  },
});

export const soslSearchTool = builtinTool({
  name: 'sosl_search',
  title: 'Search records',
  description:
    "Looks for words in the records of several objects at once, through Salesforce's search index; every word must be there. For exact conditions use soql_query.",
  input: z.strictObject({
    text: z.string().min(2).max(200).describe('Words to look for; signs have no meaning'),
    objects: z
      .array(
        z.strictObject({
          object: ObjectName.describe('API name of an object that is open to this connector'),
          fields: z
            .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/))
            .min(1)
            .max(20)
            .optional()
            .describe('Fields to show; default Id and Name'),
        }),
      )
      .min(1)
      .max(10)
      .describe('Where to look'),
    within: z.enum(['ALL', 'NAME', 'EMAIL', 'PHONE']).optional().describe('Kind of fields to look in; default ALL'),
    limit: z.int().min(1).max(100).optional().describe('Records of each object; default 20'),
  }),
  class: 'read',
  projection: [
    { kind: 'text', at: '/text' },
    { kind: 'folder', at: '/objects/*/object' },
  ],
  scopes: ['api', 'full'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { text, objects, within, limit }) {
    const s = salesforceSettings(call.settings);
    const q = soslSearch(
      text,
      objects.map((o) => ({ ...o, object: openObject(s, o.object) })),
      within ?? 'ALL',
      limit ?? 20,
    );
    const { value, notes } = await salesforce(
      call,
      { method: 'GET', path: dataPath(call, 'search'), query: { q } },
      z.looseObject({ searchRecords: z.array(Rec) }),
    );
    // Salesforce was asked for these only; what comes besides is not passed on.
    const rows = value.searchRecords.filter((r) => r.attributes && listed(s.objects, r.attributes.type) !== undefined);
    return textAnswer([`${rows.length} records found`, ...rows.flatMap((r) => recordLines(r)), ...notes], {
      ids: rows.flatMap((r) => idOf(r) ?? []),
    });
  },
});

export const describeTool = builtinTool({
  name: 'describe',
  title: 'Describe an object',
  description:
    'Fields of an object with types, choices and parents, and its children. Without an object: the objects that are open to this connector.',
  input: z.strictObject({
    object: ObjectName.optional().describe('API name, like Account'),
    fields_containing: z.string().min(1).max(80).optional().describe('Only fields whose name or label has this in it'),
  }),
  class: 'read',
  projection: [{ kind: 'folder', at: '/object' }],
  scopes: ['api', 'full'],
  brings: [],
  outward: false,
  async run(call, { object, fields_containing: part }) {
    const s = salesforceSettings(call.settings);
    if (object === undefined)
      return textAnswer(
        (s.objects ?? []).map(
          (o) =>
            `${o}${listed(s.writable, o) ? ', may be created and changed' : ''}${listed(s.deletable, o) ? ', may be deleted' : ''}`,
        ),
        { objects: s.objects ?? [] },
      );
    const d = await describer(call)(openObject(s, object));
    const wanted = d.fields.filter(
      (f) => part === undefined || `${f.name} ${f.label}`.toLowerCase().includes(part.toLowerCase()),
    );
    const lines = wanted.map((f) => {
      const choices = (f.picklistValues ?? []).filter((v) => v.active !== false).map((v) => v.value);
      return [
        `${f.name} (${f.label}): ${f.type}${f.length ? ` ${f.length}` : ''}`,
        ...(f.createable && !f.nillable && !f.defaultedOnCreate ? ['required'] : []),
        ...(f.updateable ? [] : ['not changeable']),
        ...(f.referenceTo && f.referenceTo.length > 0
          ? [`refers to ${f.referenceTo.join(', ')}${f.relationshipName ? ` as ${f.relationshipName}` : ''}`]
          : []),
        ...(choices.length > 0
          ? [
              `one of ${choices.slice(0, 30).join(', ')}${choices.length > 30 ? ` and ${choices.length - 30} more` : ''}`,
            ]
          : []),
      ].join(', ');
    });
    const children = (d.childRelationships ?? []).filter(
      (c) => c.relationshipName && listed(s.objects, c.childSObject),
    );
    return textAnswer(
      [
        `${d.name} (${d.label}), ${wanted.length} of ${d.fields.length} fields`,
        ...lines,
        ...(children.length > 0
          ? [`children: ${children.map((c) => `${c.relationshipName ?? ''} (${c.childSObject})`).join(', ')}`]
          : []),
      ],
      { object: d.name },
      { ask: 'ask with fields_containing' },
    );
  },
});

export const getRecordTool = builtinTool({
  name: 'get_record',
  title: 'Show a record',
  description: 'One record by its id, all fields that the account may see, or those that are named.',
  input: z.strictObject({
    object: ObjectName.describe('API name of the object, like Account'),
    id: RecordId.describe('Id of the record'),
    fields: z
      .array(z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/))
      .min(1)
      .max(100)
      .optional()
      .describe('Names of fields; default all'),
  }),
  class: 'read',
  projection: [{ kind: 'folder', at: '/object' }],
  scopes: ['api', 'full'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { object, id, fields }) {
    const name = openObject(salesforceSettings(call.settings), object);
    const { value, notes } = await salesforce(
      call,
      {
        method: 'GET',
        path: dataPath(call, 'sobjects', name, id),
        ...(fields === undefined ? {} : { query: { fields: fields.join(',') } }),
      },
      Rec,
    );
    // Rules saw the object, and an id can be of another.
    if (value.attributes?.type.toLowerCase() !== name.toLowerCase()) throw otherObject(name, id);
    return textAnswer([...recordLines(value, { maxValue: 50_000, apart: true }), ...notes], {
      object: name,
      id,
    });
  },
});
