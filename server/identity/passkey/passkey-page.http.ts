import { z } from 'zod';
import { html, mark, render } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { returnPath } from '../return-path.ts';
import { listPasskeys } from './passkey.sql.ts';

const scripts = ['/assets/webauthn.js', '/assets/passkey.js'];

/** The two pages that run a script: browsers give passkeys to scripts alone. */
export const passkeyPages: readonly Operation[] = [
  page({
    id: 'identity.passkey_sign_in_page',
    at: 'GET /sign-in/passkey',
    can: 'public',
    says: 'Asks for a passkey to sign in with.',
    query: z.object({ return_to: z.string().optional().transform(returnPath) }),
    async handle(_ctx, { query }) {
      return render({
        title: 'Sign in with a passkey',
        scripts,
        body: html`${mark.open}
          <h1>Sign in with a passkey</h1>
          <p>For people whose organization takes passkeys, and for the account that comes in when the identity provider is down.</p>
          <p id="said" role="alert"></p>
          <div class="do">
            <button class="btn act" id="passkey" data-does="sign_in" data-begin="/api/passkey/options" data-finish="/api/passkey/sign-in" data-next="${query.return_to}">Use a passkey</button>
            <a class="btn" href="/sign-in?return_to=${encodeURIComponent(query.return_to)}">Other ways</a>
          </div>`,
      });
    },
  }),
  page({
    id: 'identity.my_passkeys_page',
    at: 'GET /me/passkeys',
    can: 'signed_in',
    says: 'Shows the passkeys of whoever is signed in, and adds one.',
    async handle(ctx) {
      const { actor } = ctx;
      if (actor.kind !== 'user') throw new Problem('bug', 'identity/no-user', { says: 'a page was opened for nobody' });
      const all = await ctx.db.read({ parent: ctx.parent }, (db) => listPasskeys(db, actor.id, { q: null, limit: 50 }));
      const day = (d: Date): string => d.toISOString().slice(0, 10);
      return render({
        title: 'Passkeys',
        scripts,
        body: html`${mark.open}
          <h1>Your passkeys</h1>
          ${
            all.length === 0
              ? html`<p>You have none.</p>`
              : html`<dl class="facts">${all.map((p) => html`<dt>${p.name}</dt><dd>made ${day(p.createdAt)}, ${p.usedAt ? html`last proved ${day(p.usedAt)}` : 'not proved yet: sign in with it once'}</dd>`)}</dl>`
          }
          <section class="box">
            <h2>Add one</h2>
            <p>It shows that it is you when a rule wants that for an approval. You sign in with it where your organization takes passkeys.</p>
            <label for="name">Name</label>
            <input id="name" type="text" maxlength="100" value="My passkey" autocomplete="off" />
            <p id="said" role="alert"></p>
            <div class="do"><button class="btn act" id="passkey" data-does="add" data-begin="/api/me/passkeys/options" data-finish="/api/me/passkeys" data-next="/me/passkeys">Add a passkey</button></div>
          </section>
          <p><a href="/">Back</a></p>`,
      });
    },
  }),
];
