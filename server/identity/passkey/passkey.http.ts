import { z } from 'zod';
import type { OrgCtx } from '#kernel/ctx.ts';
import { parseId, type Id } from '#kernel/id.ts';
import { containing, listed, listOf, ListQuery } from '#kernel/list.ts';
import { operation, page, type Operation } from '#kernel/operation.ts';
import { memberRoles } from '#org/member.ts';
import { BROWSER_COOKIE, newSecret, readCookie, SESSION_COOKIE, sessionCookie, setCookie } from '../cookies.ts';
import { personOf } from '../me.http.ts';
import { addPasskey, offerPasskey } from './add-passkey.ts';
import { Authentication, Registration } from './answer.ts';
import { breakGlassGaps, listBreakGlass } from './break-glass.ts';
import { CHALLENGE_MS } from './challenge.ts';
import { noSuchPasskey, type Passkey } from './passkey.ts';
import { listPasskeys } from './passkey.sql.ts';
import { removePasskey } from './remove-passkey.ts';
import { askForPasskey, signInWithPasskey } from './sign-in-with-passkey.ts';

const Time = z.iso.datetime({ offset: true });
const Shown = z.object({
  id: z.string(),
  name: z.string(),
  backedUp: z.boolean(),
  createdAt: Time,
  usedAt: Time.nullable(),
});
const shown = (p: Passkey): z.infer<typeof Shown> => ({
  id: p.id,
  name: p.name,
  backedUp: p.backedUp,
  createdAt: p.createdAt.toISOString(),
  usedAt: p.usedAt?.toISOString() ?? null,
});

const passkeyId = (text: string): Id<'pky'> => {
  const id = parseId('pky', text);
  if (!id) throw noSuchPasskey();
  return id;
};
const json = (value: unknown, cookies: readonly string[]): Response => {
  const headers = new Headers({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  for (const c of cookies) headers.append('set-cookie', c);
  return new Response(JSON.stringify(value), { status: 200, headers });
};
const Nothing = z.strictObject({});
/** What the browser is asked to do; its form is WebAuthn's, not ours. */
const Options = z.looseObject({ challenge: z.string() });

/** Passkeys, under `/api`. */
export const passkeyOperations: readonly Operation[] = [
  operation({
    id: 'identity.list_my_passkeys',
    at: 'GET /me/passkeys',
    can: 'signed_in',
    says: 'Lists the caller’s passkeys; q searches their names.',
    query: ListQuery,
    reply: listOf(Shown),
    async handle(ctx, { query }) {
      const me = personOf(ctx);
      const f = { q: containing(query.q), after: query.cursor, limit: query.limit };
      const rows = await ctx.db.read({ parent: ctx.parent }, (db) => listPasskeys(db, me.user, f));
      const list = listed(rows, query.limit, (p) => [p.id]);
      return { ...list, items: list.items.map(shown) };
    },
  }),
  operation({
    id: 'identity.offer_passkey',
    at: 'POST /me/passkeys/options',
    can: 'signed_in',
    says: 'Begins to add a passkey: what the browser is to be asked for. Needs a sign-in of the last 15 minutes.',
    body: Nothing,
    reply: Options,
    handle: async (ctx) => ({ ...(await offerPasskey(ctx, personOf(ctx))) }),
  }),
  operation({
    id: 'identity.add_passkey',
    at: 'POST /me/passkeys',
    can: 'signed_in',
    says: 'Adds the passkey that the browser made.',
    body: z.strictObject({ name: z.string().trim().min(1).max(100), answer: Registration }),
    reply: Shown,
    status: 201,
    handle: async (ctx, { body }) => shown(await addPasskey(ctx, personOf(ctx), body)),
  }),
  operation({
    id: 'identity.remove_passkey',
    at: 'DELETE /me/passkeys/:passkey',
    can: 'signed_in',
    says: 'Removes one of the caller’s passkeys.',
    params: z.object({ passkey: z.string().transform(passkeyId) }),
    reply: z.undefined(),
    status: 204,
    handle: (ctx, { params }) => removePasskey(ctx, personOf(ctx).user, params.passkey),
  }),
  operation({
    id: 'identity.list_break_glass',
    at: 'GET /orgs/:org/break-glass',
    can: 'sso.manage',
    says: 'Lists the break-glass accounts, when each was last proved usable, and what is missing.',
    params: z.object({ org: z.string() }),
    reply: z.object({
      items: z.array(
        z.object({
          user: z.string(),
          displayName: z.string(),
          email: z.string(),
          role: z.enum(memberRoles),
          passkeys: z.number(),
          provedAt: Time.nullable(),
          usable: z.boolean(),
          gaps: z.array(z.enum(breakGlassGaps)),
        }),
      ),
    }),
    async handle(ctx) {
      const scope: Pick<OrgCtx, 'parent'> & { org: Id<'org'> | undefined } = { parent: ctx.parent, org: ctx.org };
      const all = await ctx.db.read(scope, (db) => listBreakGlass(db, ctx.now));
      return {
        items: all.map((b) => ({
          user: b.user,
          displayName: b.displayName,
          email: b.email,
          role: b.role,
          passkeys: b.passkeys,
          provedAt: b.provedAt?.toISOString() ?? null,
          usable: b.gaps.length === 0,
          gaps: [...b.gaps],
        })),
      };
    },
  }),
  // Public, and yet no other site can use them with somebody's cookie: a body of JSON crosses sites only after we were asked, and we say no.
  page({
    id: 'identity.ask_for_passkey',
    at: 'POST /passkey/options',
    can: 'public',
    says: 'Begins a sign-in with a passkey: what the browser is to be asked for.',
    body: Nothing,
    async handle(ctx, _input, c) {
      const browser = readCookie(c.req.header('cookie'), BROWSER_COOKIE) ?? newSecret();
      const options = await askForPasskey(ctx, browser);
      return json(options, [setCookie(BROWSER_COOKIE, browser, CHALLENGE_MS / 1000)]);
    },
  }),
  page({
    id: 'identity.sign_in_with_passkey',
    at: 'POST /passkey/sign-in',
    can: 'public',
    says: 'Signs in with the answer of a passkey, where every organization of the person takes passkeys or the account is a break-glass account.',
    body: z.strictObject({ answer: Authentication }),
    async handle(ctx, { body }, c) {
      const cookies = c.req.header('cookie');
      const signedIn = await signInWithPasskey(ctx, body.answer, {
        browser: readCookie(cookies, BROWSER_COOKIE),
        userAgent: c.req.header('user-agent'),
        session: readCookie(cookies, SESSION_COOKIE),
      });
      return json({ user: signedIn.user, breakGlass: signedIn.breakGlass }, [sessionCookie(signedIn.cookie)]);
    },
  }),
];
