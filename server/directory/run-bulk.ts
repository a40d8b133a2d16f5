import { asProblem, Problem, status } from '#kernel/problem.ts';
import type { ScimCtx } from './directory.ts';
import { perform, type Performed } from './perform.ts';
import { bulkOrder, parseBulk, type BulkOp } from './scim-bulk.ts';
import { tokenOf } from './scim-change.ts';
import { scimError } from './scim-error.ts';
import { etag } from './scim-etag.ts';
import { entryOf, newCall } from './scim-journal.ts';
import type { Shown } from './scim-wire.ts';

export const bulkResponse = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse';

/**
 * Runs the operations of a Bulk request one after the other, each in a transaction of its own (RFC 7644 §3.7 asks for no more), until as many
 * have failed as the client allows. What refers to an operation that failed fails too. The answer has those that ran, in the client's order.
 */
export async function runBulk(ctx: ScimCtx, base: string, body: unknown): Promise<Shown> {
  const { ops, failOnErrors } = parseBulk(body, ctx.settings.profile === 'strict');
  const answers = new Map<BulkOp, Shown>();
  const failed = new Set<string>();
  let errors = 0;
  for (const op of bulkOrder(ops)) {
    if (failOnErrors !== undefined && errors >= failOnErrors) break;
    const call = newCall({
      method: op.method.slice(0, 20) || 'none',
      path: op.path.slice(0, 500),
      bytes: 0,
      operation: op.index,
      // With its references filled in, so that it can be replayed by itself.
      body: op.act instanceof Problem ? op.data : op.act.body,
      note: ctx.call.note,
      rehearse: ctx.call.rehearse,
    });
    const own: ScimCtx = { ...ctx, call };
    try {
      if (op.act instanceof Problem) throw op.act;
      const broken = [...op.refers].find((name) => failed.has(name));
      if (broken !== undefined)
        throw new Problem('invalid', 'directory/bulk-reference', {
          says: `operation ${op.index}: the operation "bulkId:${broken.slice(0, 60)}", which it refers to, failed`,
          fix: 'repair that one and send both again',
          more: { scimType: 'invalidValue', operation: op.index },
        });
      const done = await perform(own, op.act, op.chosen);
      if (!call.noted) call.note(entryOf(call, { ...own, token: tokenOf(own) }, { status: call.status }));
      answers.set(op, shownAnswer(op, base, done, call.status));
    } catch (e) {
      const p = asProblem(e);
      if (p.kind === 'bug')
        ctx.log.error(
          { request: ctx.request, code: p.code, err: p.cause },
          'an operation of a Bulk request failed on our side',
        );
      errors++;
      if (op.bulkId !== undefined) failed.add(op.bulkId);
      call.note(entryOf(call, { ...own, token: tokenOf(own) }, { problem: p }));
      const told = new Problem(p.kind, p.code, { says: p.says, fix: p.fix, more: { operation: op.index, ...p.more } });
      answers.set(op, {
        ...shownHead(op),
        ...(op.act instanceof Problem || op.act.id === undefined ? {} : { location: locationOf(base, op, op.act.id) }),
        status: String(status[p.kind]),
        response: scimError(told, ctx.request),
      });
    }
  }
  // Its operations have their own entries; a refusal of the whole is noted by the dialect.
  ctx.call.noted = true;
  return {
    schemas: [bulkResponse],
    Operations: ops.flatMap((op) => answers.get(op) ?? []),
  };
}

const shownHead = (op: BulkOp): Shown => ({
  method: op.method,
  ...(op.bulkId === undefined ? {} : { bulkId: op.bulkId }),
});

const locationOf = (base: string, op: BulkOp, id: string): string =>
  `${base}/${/groups/i.test(op.path) ? 'Groups' : 'Users'}/${id}`;

function shownAnswer(op: BulkOp, base: string, done: Performed, code: number): Shown {
  const it = done.kind === 'User' ? done.user : done.kind === 'Group' ? done.group : undefined;
  const id = it?.id ?? (op.act instanceof Problem ? undefined : op.act.id);
  return {
    ...shownHead(op),
    ...(id === undefined ? {} : { location: locationOf(base, op, id) }),
    ...(it === undefined ? {} : { version: etag(it.version) }),
    status: String(code),
  };
}
