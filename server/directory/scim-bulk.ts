import { newId } from '#kernel/id.ts';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { scimMethods, type Act } from './perform.ts';
import { parseEtags } from './scim-etag.ts';
import { isObject, refuseForbidden } from './scim-value.ts';

/** Announced in ServiceProviderConfig. A thousand people with all that Entra sends are about a megabyte. */
export const MAX_BULK_OPERATIONS = 1000;
export const MAX_BULK_BYTES = 2 * MiB;

/** One operation of a Bulk request as it was sent. What is wrong with it is told as its own answer, not as that of the whole request. */
export type BulkOp = {
  index: number;
  bulkId: string | undefined;
  method: string;
  path: string;
  data: unknown;
  /** The id that a POST will give: chosen before anything runs, so that references to it, forward and in circles, can be filled in. */
  chosen: string | undefined;
  /** Names of the operations that it refers to. */
  refers: ReadonlySet<string>;
  act: Act | Problem;
};

export type Bulk = { ops: BulkOp[]; failOnErrors: number | undefined };

const invalid = (index: number | undefined, says: string, scimType = 'invalidSyntax', fix?: string): Problem =>
  new Problem('invalid', 'directory/invalid-bulk', {
    says: index === undefined ? says : `operation ${index}: ${says}`,
    fix,
    more: { scimType, ...(index === undefined ? {} : { operation: index }) },
  });

const field = (o: Record<string, unknown>, name: string): unknown => {
  const key = Object.keys(o).find((k) => k.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : o[key];
};

const reference = /^bulkId:(.{1,200})$/s;

/** Replaces each reference by the id that it will have; collects which they were. A reference is a whole string, or stands in a path. */
function filled(v: unknown, ids: ReadonlyMap<string, string>, refers: Set<string>): unknown {
  if (typeof v === 'string') {
    const name = reference.exec(v)?.[1];
    if (name !== undefined) {
      refers.add(name);
      return ids.get(name) ?? v;
    }
    // `members[value eq "bulkId:x"]`
    return v.includes('"bulkId:')
      ? v.replace(/"bulkId:([^"\\]{1,200})"/g, (whole, inner: string) => {
          refers.add(inner);
          const id = ids.get(inner);
          return id === undefined ? whole : `"${id}"`;
        })
      : v;
  }
  if (Array.isArray(v)) return v.map((each) => filled(each, ids, refers));
  if (!isObject(v)) return v;
  for (const k of Object.keys(v)) refuseForbidden(k);
  return Object.fromEntries(Object.entries(v).map(([k, inner]) => [k, filled(inner, ids, refers)]));
}

/** Reads a BulkRequest (RFC 7644 §3.7) and fills in what its operations refer to in each other. */
export function parseBulk(body: unknown, strict: boolean): Bulk {
  const raw = isObject(body) ? field(body, 'Operations') : undefined;
  if (!Array.isArray(raw) || raw.length === 0)
    throw invalid(undefined, 'a Bulk request must have a list "Operations"', 'invalidSyntax');
  if (raw.length > MAX_BULK_OPERATIONS)
    throw new Problem('too_large', 'directory/bulk-too-large', {
      says: `a Bulk request may have ${MAX_BULK_OPERATIONS} operations; this one has ${raw.length}`,
      fix: 'send them in several requests',
    });
  const limit = isObject(body) ? field(body, 'failOnErrors') : undefined;
  if (limit !== undefined && limit !== null && !(typeof limit === 'number' && Number.isInteger(limit) && limit >= 0))
    throw invalid(undefined, 'failOnErrors must be a whole number', 'invalidValue');

  const ids = new Map<string, string>();
  const read = raw.map((o: unknown, index) => {
    if (!isObject(o)) throw invalid(index, 'it is not an object');
    const [method, path, bulkId] = [field(o, 'method'), field(o, 'path'), field(o, 'bulkId')];
    const op = {
      index,
      method: typeof method === 'string' ? method.toUpperCase() : '',
      path: typeof path === 'string' ? path : '',
      bulkId: typeof bulkId === 'string' && bulkId !== '' ? bulkId : undefined,
      version: field(o, 'version'),
      data: field(o, 'data'),
    };
    const kind = /^\/?(Users|Groups)\/?$/i.exec(op.path)?.[1]?.toLowerCase();
    const chosen = op.method === 'POST' && kind ? newId(kind === 'users' ? 'scu' : 'grp') : undefined;
    if (op.bulkId !== undefined) {
      if (ids.has(op.bulkId))
        throw invalid(index, `the bulkId "${op.bulkId.slice(0, 60)}" is there twice`, 'uniqueness');
      // Only what is made here can be referred to; the name of another operation is for the answer.
      if (chosen !== undefined) ids.set(op.bulkId, chosen);
    }
    return { ...op, chosen };
  });
  const ops = read.map((op): BulkOp => {
    const refers = new Set<string>();
    const act = ((): Act | Problem => {
      try {
        return actOf(op, ids, refers, strict);
      } catch (e) {
        if (e instanceof Problem) return e;
        throw e;
      }
    })();
    return { ...op, refers, act };
  });
  return { ops, failOnErrors: typeof limit === 'number' && limit > 0 ? limit : undefined };
}

function actOf(
  op: Omit<BulkOp, 'refers' | 'act'> & { version: unknown },
  ids: ReadonlyMap<string, string>,
  refers: Set<string>,
  strict: boolean,
): Act {
  const { index } = op;
  const method = scimMethods.find((m) => m === op.method);
  if (!method) throw invalid(index, `"${op.method.slice(0, 20)}" is not one of ${scimMethods.join(', ')}`);
  const [, endpoint, rest] = /^\/?(Users|Groups)(?:\/([^/?]{1,220}))?\/?$/i.exec(op.path) ?? [];
  if (endpoint === undefined)
    throw invalid(
      index,
      `there is nothing at "${op.path.slice(0, 100)}"`,
      'invalidPath',
      'use /Users or /Groups, with an id unless it is a POST',
    );
  if ((rest === undefined) !== (method === 'POST'))
    throw invalid(
      index,
      rest === undefined ? `a ${method} needs an id in its path` : 'a POST has no id in its path',
      'invalidPath',
    );
  if (method === 'POST' && op.bulkId === undefined && strict) throw invalid(index, 'a POST needs a bulkId');
  if (method !== 'DELETE' && !isObject(op.data)) throw invalid(index, `a ${method} needs an object as "data"`);
  const id = rest === undefined ? undefined : String(filled(decodeURIComponent(rest), ids, refers));
  const body = method === 'DELETE' ? undefined : filled(op.data, ids, refers);
  for (const name of refers)
    if (!ids.has(name))
      throw invalid(
        index,
        `no operation of this request makes "bulkId:${name.slice(0, 60)}"`,
        'invalidValue',
        'give the POST that makes it this bulkId',
      );
  if (op.bulkId !== undefined && refers.has(op.bulkId) && id === undefined && method === 'POST')
    refers.delete(op.bulkId);
  return {
    method,
    kind: endpoint.toLowerCase() === 'users' ? 'User' : 'Group',
    id,
    body,
    when: typeof op.version === 'string' && method !== 'POST' ? parseEtags(op.version) : undefined,
  };
}

/**
 * The order in which they run: as they came, but what is referred to first. Operations that refer to each other in a circle (two people who
 * are each other's managers) run as they came: the ids are known, and only members of a group must be there before.
 */
export function bulkOrder(ops: readonly BulkOp[]): BulkOp[] {
  const makers = new Map(
    ops.flatMap((o) => (o.bulkId !== undefined && o.chosen !== undefined ? [[o.bulkId, o] as const] : [])),
  );
  const state = new Map<BulkOp, 'open' | 'done'>();
  const order: BulkOp[] = [];
  // Depth is bounded by the number of operations; an own stack, because a chain of a thousand is one.
  for (const first of ops) {
    const stack: { op: BulkOp; rest: BulkOp[] }[] = [];
    const enter = (op: BulkOp): void => {
      if (state.has(op)) return;
      state.set(op, 'open');
      stack.push({ op, rest: [...op.refers].flatMap((name) => makers.get(name) ?? []) });
    };
    enter(first);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const next = top.rest.shift();
      if (next) enter(next);
      else {
        state.set(top.op, 'done');
        order.push(top.op);
        stack.pop();
      }
    }
  }
  return order;
}
