// Salesforce's REST API as documented (REST API Developer Guide: Query, Search, sObject Describe, sObject Rows, sObject Collections, Analytics
// reports, Status Codes and Error Responses): no as an array of errors, 204 for what was changed.
import { parseSoql } from '#connectors/vendors/salesforce/soql.ts';
import { describeObject, objectOf, runQuery, SaidNo } from './salesforce-query.ts';
import type { SalesforceObject, SalesforceUser, SalesforceWorld } from './salesforce-world.ts';
import { header, type Said } from './vendor-server.ts';
import type { SeenRequest } from './vendor-stand-in.ts';

const error = (status: number, errorCode: string, message: string, fields?: string[]): Said => ({
  status,
  json: [{ message, errorCode, ...(fields ? { fields } : {}) }],
});

/** Pages of queries that are still to come, by locator. */
export type Pages = Map<string, { records: unknown[]; total: number }>;

export function answerApi(w: SalesforceWorld, pages: Pages, user: SalesforceUser, r: SeenRequest): Said {
  const [, version = '', rest = ''] = /^\/services\/data\/(v\d+\.0)\/?(.*)$/.exec(r.path) ?? [];
  if (version === '') return error(404, 'NOT_FOUND', 'The requested resource does not exist');
  w.usage.used++;
  const headers = { 'sforce-limit-info': `api-usage=${w.usage.used}/${w.usage.of}` };
  if (w.usage.used > w.usage.of)
    return { ...error(403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'), headers };
  // Whoever is of another organization finds an empty one here.
  const world = user.organization === w.organization ? w : { ...w, records: [], reports: new Map<string, unknown>() };
  try {
    return { headers, ...route(world, pages, user, r, version, rest.split('/').map(decodeURIComponent)) };
  } catch (e) {
    if (e instanceof SaidNo) return { ...error(e.status, e.code, e.message), headers };
    return { ...error(400, 'MALFORMED_QUERY', e instanceof Error ? e.message : 'unexpected token'), headers };
  }
}

function route(
  w: SalesforceWorld,
  pages: Pages,
  user: SalesforceUser,
  r: SeenRequest,
  version: string,
  path: string[],
): Said {
  const [what, first = '', second, ...more] = path;
  if (what === '')
    return {
      json: {
        identity: `https://login.salesforce.com/id/${user.organization}/${user.id}`,
        sobjects: `/services/data/${version}/sobjects`,
      },
    };
  if (what === 'query') {
    let page = first === '' ? undefined : pages.get(first);
    if (first !== '' && !page) return error(400, 'INVALID_QUERY_LOCATOR', 'invalid query locator');
    if (!page) {
      const run = runQuery(w, parseSoql(r.query.get('q') ?? ''));
      page = { records: run.records, total: run.total };
    }
    const here = page.records.slice(0, w.batch);
    const left = page.records.slice(w.batch);
    const locator = `01g0000000000${String(pages.size).padStart(5, '0')}-${w.batch}`;
    if (left.length > 0) pages.set(locator, { records: left, total: page.total });
    return {
      json: {
        totalSize: page.total,
        done: left.length === 0,
        ...(left.length > 0 ? { nextRecordsUrl: `/services/data/${version}/query/${locator}` } : {}),
        records: here,
      },
    };
  }
  if (what === 'search') return search(w, r.query.get('q') ?? '');
  if (what === 'analytics' && first === 'reports') {
    const report = w.reports.get(more[0] ?? second ?? '');
    return report === undefined ? error(404, 'NOT_FOUND', 'The requested resource does not exist') : { json: report };
  }
  if (what === 'composite' && first === 'sobjects' && r.method === 'PATCH') {
    const body = JSON.parse(r.body.toString('utf8')) as {
      allOrNone: boolean;
      records: { attributes: { type: string }; id: string; [f: string]: unknown }[];
    };
    return {
      json: body.records.map(({ attributes, id, ...fields }) => {
        try {
          write(w, user, objectOf(w, attributes.type), id, fields);
          return { id, success: true, errors: [] };
        } catch (e) {
          if (!(e instanceof SaidNo)) throw e;
          return { id, success: false, errors: [{ statusCode: e.code, message: e.message, fields: [] }] };
        }
      }),
    };
  }
  if (what !== 'sobjects' || first === '') return error(404, 'NOT_FOUND', 'The requested resource does not exist');
  const object = w.objects.find((o) => o.name.toLowerCase() === first.toLowerCase());
  if (!object) return error(404, 'NOT_FOUND', 'The requested resource does not exist');
  if (second === 'describe') return { json: describeObject(w, object) };
  if (second === undefined && r.method === 'POST') return create(w, user, object, r);
  const found =
    object.name === 'User'
      ? w.users
          .filter((u) => u.id === second && u.organization === user.organization)
          .map((u) => ({ object: 'User', Id: u.id, Username: u.username, Email: u.email }))[0]
      : w.records.find((x) => x.object === object.name && (x.Id === second || x.Id.slice(0, 15) === second));
  if (!found) return error(404, 'NOT_FOUND', 'The requested resource does not exist');
  if (r.method === 'GET') {
    const names = r.query.get('fields')?.split(',');
    const unknown = names?.find((n) => !object.fields.some((f) => f.name.toLowerCase() === n.toLowerCase()));
    if (unknown !== undefined)
      return error(400, 'INVALID_FIELD', `No such column '${unknown}' on sobject of type ${object.name}`);
    const all = Object.entries(found).filter(
      ([k]) =>
        k !== 'object' && (names === undefined || k === 'Id' || names.some((n) => n.toLowerCase() === k.toLowerCase())),
    );
    return { json: { attributes: { type: object.name, url: r.path }, ...Object.fromEntries(all) } };
  }
  if (r.method === 'PATCH') {
    write(w, user, object, found.Id, JSON.parse(r.body.toString('utf8')) as Record<string, unknown>);
    return { status: 204 };
  }
  if (r.method === 'DELETE') {
    if (user.readOnly) return error(403, 'INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id');
    w.records.splice(w.records.indexOf(found), 1);
    return { status: 204 };
  }
  return error(405, 'METHOD_NOT_ALLOWED', `HTTP Method '${r.method}' not allowed.`);
}

function checkFields(object: SalesforceObject, fields: Record<string, unknown>): void {
  for (const name of Object.keys(fields)) {
    const field = object.fields.find((f) => f.name.toLowerCase() === name.toLowerCase());
    if (!field) throw new SaidNo(400, 'INVALID_FIELD', `No such column '${name}' on sobject of type ${object.name}`);
    if (field.fixed)
      throw new SaidNo(400, 'INVALID_FIELD_FOR_INSERT_UPDATE', `Unable to create/update fields: ${name}.`);
    if (field.type === 'currency' && typeof fields[name] === 'number' && fields[name] < 0)
      throw new SaidNo(400, 'FIELD_CUSTOM_VALIDATION_EXCEPTION', 'Amount must not be negative');
  }
}

function write(
  w: SalesforceWorld,
  user: SalesforceUser,
  object: SalesforceObject,
  id: string,
  fields: Record<string, unknown>,
): void {
  if (user.readOnly)
    throw new SaidNo(403, 'INSUFFICIENT_ACCESS_OR_READONLY', 'insufficient access rights on object id');
  const record = w.records.find((x) => x.object === object.name && x.Id.slice(0, 15) === id.slice(0, 15));
  if (!record) throw new SaidNo(404, 'NOT_FOUND', 'The requested resource does not exist');
  checkFields(object, fields);
  for (const [name, value] of Object.entries(fields)) {
    const field = object.fields.find((f) => f.name.toLowerCase() === name.toLowerCase());
    record[field?.name ?? name] = value as string;
  }
}

function create(w: SalesforceWorld, user: SalesforceUser, object: SalesforceObject, r: SeenRequest): Said {
  if (!header(r, 'content-type')?.startsWith('application/json'))
    return error(415, 'UNSUPPORTED_MEDIA_TYPE', 'Content-Type is not supported');
  if (user.readOnly)
    return error(403, 'INSUFFICIENT_ACCESS_OR_READONLY', `entity type cannot be inserted: ${object.name}`);
  const fields = JSON.parse(r.body.toString('utf8')) as Record<string, string>;
  checkFields(object, fields);
  const lacking = object.fields.filter((f) => f.required && fields[f.name] === undefined).map((f) => f.name);
  if (lacking.length > 0)
    return error(400, 'REQUIRED_FIELD_MISSING', `Required fields are missing: [${lacking.join(', ')}]`, lacking);
  const id = `${object.prefix}00000000${String(w.records.length + 1000).padStart(4, '0')}AAA`;
  w.records.push({ ...fields, object: object.name, Id: id });
  return { status: 201, json: { id, success: true, errors: [] } };
}

/** `FIND {"a" "b"} IN ALL FIELDS RETURNING Account(Id, Name LIMIT 20)`, as one of our own would write it; anything else is malformed. */
function search(w: SalesforceWorld, q: string): Said {
  const [, find, returning] =
    /^FIND \{((?:\\.|[^\\}])+)\} IN (?:ALL|NAME|EMAIL|PHONE) FIELDS RETURNING (.+)$/.exec(q) ?? [];
  if (find === undefined || returning === undefined)
    return error(400, 'MALFORMED_SEARCH', 'No search term found. The search term must be enclosed in braces.');
  const words = [...find.matchAll(/"((?:\\.|[^"\\])+)"/g)].map((m) =>
    (m[1] ?? '').replace(/\\(.)/g, '$1').toLowerCase(),
  );
  if (find.replace(/"(?:\\.|[^"\\])+"/g, '').trim() !== '') return error(400, 'MALFORMED_SEARCH', 'unexpected token');
  const records = [...returning.matchAll(/(\w+)\(([\w, ]+?) LIMIT (\d+)\)/g)].flatMap(
    ([, object = '', fields = '', limit]) =>
      w.records
        .filter(
          (r) =>
            r.object === objectOf(w, object).name && words.every((x) => JSON.stringify(r).toLowerCase().includes(x)),
        )
        .slice(0, Number(limit))
        .map((r) => ({
          attributes: { type: r.object },
          ...Object.fromEntries(fields.split(', ').map((f) => [f, r[f] ?? null])),
        })),
  );
  return { json: { searchRecords: records } };
}
