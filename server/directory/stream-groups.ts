import { scopeOf } from '#kernel/ctx.ts';
import type { ScimCtx } from './directory.ts';
import { memberRun, type MemberRun } from './scim-group.sql.ts';
import type { ScimGroup } from './scim-group.ts';
import { selected, selectedParts, selects, shownGroup, type Selection } from './scim-wire.ts';

/** Members of one piece: about a megabyte of JSON, so that memory is bounded and the next piece is read while this one is sent. */
const PIECE = 5000;
/** `scu_` and 32 hexadecimal digits. */
const ID_CHARS = 36;

type Parts = Record<'value' | '$ref' | 'type' | 'display', boolean>;

/** A run of members as JSON, without the list around it. */
function membersText(run: { ids: string | null; names: string | null }, base: string, parts: Parts): string {
  const ids = run.ids ?? '';
  const names: unknown = run.names === null ? [] : JSON.parse(run.names);
  const list: readonly unknown[] = Array.isArray(names) ? names : [];
  let text = '';
  for (let at = 0, i = 0; at < ids.length; at += ID_CHARS, i++) {
    const id = ids.slice(at, at + ID_CHARS);
    let one = '';
    if (parts.value) one += `,"value":"${id}"`;
    if (parts.$ref) one += `,"$ref":"${base}/Users/${id}"`;
    if (parts.type) one += ',"type":"User"';
    const name = list[i];
    if (parts.display && typeof name === 'string') one += `,"display":${JSON.stringify(name)}`;
    text += `${at > 0 ? ',' : ''}{${one.slice(1)}}`;
  }
  return text;
}

/**
 * A group as SCIM shows it, piece by piece. Members are read in runs by their id and nothing is held open in between, so a slow reader costs
 * no connection; who is added or removed while it is sent may or may not be in it, nobody is in it twice.
 */
export async function* groupText(ctx: ScimCtx, base: string, group: ScimGroup, s: Selection): AsyncGenerator<string> {
  const head = JSON.stringify(selected(shownGroup(base, group, undefined), s));
  if (!selects(s, 'members')) {
    yield head;
    return;
  }
  const parts: Parts = selectedParts(s, 'members', { value: true, $ref: true, type: true, display: true });
  const read = (after: string): Promise<MemberRun> =>
    ctx.db.read(scopeOf(ctx), (db) => memberRun(db, group.id, parts.display, { after, limit: PIECE }));
  let next: Promise<MemberRun> | undefined = read('');
  let before = `${head.slice(0, -1)},"members":[`;
  while (next) {
    const run: MemberRun = await next;
    const full = run.ids?.length === PIECE * ID_CHARS;
    next = full && run.last !== null ? read(run.last) : undefined;
    // Awaited in the next round, or never if the reader goes away; then its failure is nobody's.
    next?.catch(() => undefined);
    if (run.ids !== null || before !== ',') yield before + membersText(run, base, parts);
    before = ',';
  }
  yield ']}';
}

/** Text as the reader takes it. A failure breaks the transfer off; it never looks like an end. */
export function streamed(ctx: ScimCtx, text: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const utf8 = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const next = await text.next();
          if (next.done) controller.close();
          else controller.enqueue(utf8.encode(next.value));
        } catch (e) {
          ctx.log.error({ err: e, request: ctx.request }, 'a SCIM answer broke off');
          controller.error(e);
        }
      },
      async cancel() {
        await text.return(undefined);
      },
    },
    { highWaterMark: 1 },
  );
}

/** A page of groups whose members are too many to hold. */
export async function* groupsText(
  ctx: ScimCtx,
  base: string,
  page: string,
  before: readonly string[],
  groups: readonly ScimGroup[],
  s: Selection,
): AsyncGenerator<string> {
  // `page` is the list without its resources: what follows is put where its empty list ends.
  yield page.slice(0, -2);
  let comma = '';
  for (const text of before) {
    yield comma + text;
    comma = ',';
  }
  for (const g of groups) {
    yield comma;
    yield* groupText(ctx, base, g, s);
    comma = ',';
  }
  yield ']}';
}
