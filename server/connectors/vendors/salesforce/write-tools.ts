import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import type { Describe } from './admit-soql.ts';
import { describer, type Field } from './describe.ts';
import { dataPath, salesforce, sayErrors } from './salesforce-api.ts';
import { ObjectName, openObject, otherObject, RecordId, salesforceSettings } from './settings.ts';

const Fields = z
  .record(
    z.string().regex(/^[A-Za-z][A-Za-z0-9_]{0,79}$/, 'expected the API name of a field'),
    z.union([z.string().max(100_000), z.number(), z.boolean(), z.null()]),
  )
  .refine((f) => Object.keys(f).length > 0 && Object.keys(f).length <= 100, 'give 1 to 100 fields')
  .describe('Values by the API names of fields, spelled as describe shows them, like {"Name": "Acme", "Amount": 1000}');
const Objects = ObjectName.describe('API name of an object whose records this connector may change');

/** What rules see of a record that is written: the object, and money. */
const written = [
  { kind: 'folder', at: '/object' },
  { kind: 'amount', at: '/fields/Amount' },
] as const;

/**
 * Names and the object as Salesforce spells them, and fields that may be written. INVARIANT (one spelling): Salesforce does not tell case apart and
 * rules do, so a field in another spelling (`amount`) is refused and not taken for the one that a rule looks at.
 */
async function checkFields(
  describe: Describe,
  object: string,
  fields: z.infer<typeof Fields>,
  may: (f: Field) => boolean,
): Promise<void> {
  const d = await describe(object);
  const wrong = Object.keys(fields).filter((name) => !d.fields.some((f) => f.name === name && may(f)));
  if (wrong.length === 0) return;
  throw new Problem('invalid', 'connectors/salesforce-field', {
    says: `${object} has no field ${wrong.slice(0, 10).join(', ')} that this account may write`,
    fix: 'spell fields as describe shows them, capitals included',
  });
}

/** An id names its object by its first three characters; one of another object would be changed all the same. */
async function checkId(describe: Describe, object: string, id: string): Promise<void> {
  const { keyPrefix } = await describe(object);
  if (typeof keyPrefix === 'string' && id.startsWith(keyPrefix)) return;
  throw otherObject(object, id);
}

export const createRecordTool = builtinTool({
  name: 'create_record',
  title: 'Create a record',
  description: 'Creates one record. Rules and automation of the organization run as if a person had done it.',
  input: z.strictObject({ object: Objects, fields: Fields }),
  class: 'write',
  projection: written,
  scopes: ['api', 'full'],
  brings: [],
  outward: false,
  async run(call, { object, fields }) {
    const name = openObject(salesforceSettings(call.settings), object, 'writable');
    await checkFields(describer(call), name, fields, (f) => f.createable);
    const { value, notes } = await salesforce(
      call,
      { method: 'POST', path: dataPath(call, 'sobjects', name), json: fields },
      z.looseObject({ id: z.string(), success: z.boolean() }),
    );
    return textAnswer([`created ${name} ${value.id}`, ...notes], { object: name, id: value.id });
  },
});

export const updateRecordTool = builtinTool({
  name: 'update_record',
  title: 'Change a record',
  description: 'Changes the named fields of one record; null empties a field.',
  input: z.strictObject({ object: Objects, id: RecordId.describe('Id of the record'), fields: Fields }),
  class: 'write',
  projection: written,
  scopes: ['api', 'full'],
  brings: [],
  outward: false,
  async run(call, { object, id, fields }) {
    const name = openObject(salesforceSettings(call.settings), object, 'writable');
    const describe = describer(call);
    await checkId(describe, name, id);
    await checkFields(describe, name, fields, (f) => f.updateable);
    const { notes } = await salesforce(
      call,
      { method: 'PATCH', path: dataPath(call, 'sobjects', name, id), json: fields },
      z.unknown(),
    );
    return textAnswer([`changed ${Object.keys(fields).join(', ')} of ${name} ${id}`, ...notes], { object: name, id });
  },
});

export const updateRecordsTool = builtinTool({
  name: 'update_records',
  title: 'Change several records',
  description:
    'Changes fields of up to 50 records of one object in one request. Each is done or refused by itself; the answer says which.',
  input: z.strictObject({
    object: Objects,
    records: z
      .array(z.strictObject({ id: RecordId.describe('Id of the record'), fields: Fields }))
      .min(1)
      .max(50)
      .describe('What to change in which record'),
  }),
  class: 'write',
  projection: [
    { kind: 'folder', at: '/object' },
    { kind: 'amount', at: '/records/*/fields/Amount' },
  ],
  scopes: ['api', 'full'],
  brings: [],
  outward: false,
  async run(call, { object, records }) {
    const name = openObject(salesforceSettings(call.settings), object, 'writable');
    const describe = describer(call);
    for (const r of records) {
      await checkId(describe, name, r.id);
      await checkFields(describe, name, r.fields, (f) => f.updateable);
    }
    const { value, notes } = await salesforce(
      call,
      {
        method: 'PATCH',
        path: dataPath(call, 'composite', 'sobjects'),
        json: {
          allOrNone: false,
          records: records.map((r) => ({ attributes: { type: name }, id: r.id, ...r.fields })),
        },
      },
      z.array(
        z.looseObject({
          id: z.string().nullish(),
          success: z.boolean(),
          errors: z
            .array(
              z.looseObject({
                statusCode: z.string().optional(),
                message: z.string(),
                fields: z.array(z.string()).optional(),
              }),
            )
            .optional(),
        }),
      ),
    );
    if (value.length !== records.length)
      throw new VendorRefusal(
        0,
        'unexpected_answer',
        'Salesforce answers for another number of records than were given; look before it is tried again',
      );
    const failed = value.flatMap((v, i) =>
      v.success ? [] : [{ id: records[i]?.id ?? '', says: sayErrors(v.errors ?? []) }],
    );
    return {
      ...textAnswer(
        [
          `changed ${value.length - failed.length} of ${value.length} records of ${name}`,
          ...failed.map((f) => `not ${f.id}: ${f.says}`),
          ...notes,
        ],
        {
          object: name,
          changed: value.flatMap((v, i) => (v.success ? [records[i]?.id ?? ''] : [])),
          refused: failed.map((f) => f.id),
        },
      ),
      ...(failed.length === value.length ? { isError: true as const } : {}),
    };
  },
});

export const deleteRecordTool = builtinTool({
  name: 'delete_record',
  title: 'Delete a record',
  description: 'Deletes one record, and what belongs to it, into the recycle bin, where it stays for 15 days.',
  input: z.strictObject({ object: Objects, id: RecordId.describe('Id of the record') }),
  class: 'destructive',
  projection: [{ kind: 'folder', at: '/object' }],
  scopes: ['api', 'full'],
  brings: [],
  outward: false,
  async run(call, { object, id }) {
    const name = openObject(salesforceSettings(call.settings), object, 'deletable');
    await checkId(describer(call), name, id);
    const { notes } = await salesforce(
      call,
      { method: 'DELETE', path: dataPath(call, 'sobjects', name, id) },
      z.unknown(),
    );
    return textAnswer([`deleted ${name} ${id}`, ...notes], { object: name, id });
  },
});
