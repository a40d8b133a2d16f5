import type { Ctx, OrgCtx } from '#kernel/ctx.ts';
import { html, mark, render, type Html } from '#kernel/html.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem } from '#kernel/problem.ts';
import { can } from '#org/roles.ts';
import type { OrgOfUser } from '#org/org.ts';
import { listOrgsOfUser } from '#org/org.sql.ts';
import { findUser } from '#org/user.sql.ts';
import { listLinkedConnections } from './identity-link.sql.ts';
import { redirectUri, type WayIn } from './sso-connection.ts';
import { listWaysIn } from './sso-connection.sql.ts';

/** What an upper room can tell about where an agent of this person connects to. */
export type McpServer = { name: string; url: string };
export type Upstairs = { mcpServers(ctx: OrgCtx): Promise<readonly McpServer[]> };

const MAX_SHOWN = 20;

const orgBox = (o: OrgOfUser, servers: readonly McpServer[], origin: string): Html => html`
  <section class="box">
    <h2>${o.name}</h2>
    <dl class="facts">
      <dt>Id</dt>
      <dd><code>${o.org}</code></dd>
      <dt>You are</dt>
      <dd>${o.role.replace('_', ' ')}</dd>
    </dl>
    <div class="do"><a class="btn" href="/portal/${o.org}">Open the portal</a></div>
    ${
      servers.length === 0
        ? html`<p>No connector is switched on for you yet. An admin adds one.</p>`
        : html`<p>Give your MCP client one of these addresses; it brings you back here to agree.</p>
            <dl class="facts"><dt>All of these together</dt><dd><code>${origin}/mcp</code></dd>
            ${servers.map((s) => html`<dt>${s.name}</dt><dd><code>${s.url}</code></dd>`)}</dl>`
    }
  </section>
`;

const connectFirst = (org: OrgOfUser, origin: string): Html => html`
  <section class="box warn">
    <h2>Next: connect your identity provider</h2>
    <p>Until then nobody but you can sign in, and you only while this session lasts.</p>
    <dl class="facts">
      <dt>Register there</dt>
      <dd><code>${redirectUri(origin)}</code></dd>
      <dt>Then call</dt>
      <dd><code>POST ${origin}/api/orgs/${org.org}/sso-connections</code></dd>
    </dl>
    <p>After that, link your own identity to this account: the button for it appears on this page.</p>
  </section>
`;

const waysBox = (unlinked: readonly WayIn[]): Html => html`
  <section class="box">
    <h2>Ways for you to sign in</h2>
    <p>What agents ask you before they do it is under <a href="/approvals">approvals</a>, your accounts that they use at other systems under <a href="/connections">connections</a>. Your organization may also take <a href="/me/passkeys">your passkeys</a>.</p>
    ${unlinked.length > 0 && html`<p>These identity providers are connected and not linked to you yet. Linking needs a sign-in there.</p>`}
    ${unlinked.map(
      (c) =>
        html`<form method="post" action="/me/link/${c.id}"><div class="do"><button class="btn">Link ${c.name}</button></div></form>`,
    )}
  </section>
`;

/** The door page: who you are, where you are a member, what to do next. */
export const doorPage = (upstairs: Upstairs): Operation =>
  page({
    id: 'identity.door_page',
    at: 'GET /',
    can: 'signed_in',
    says: 'Shows who is signed in, their organizations and what to do next.',
    async handle(ctx: Ctx) {
      const { actor } = ctx;
      if (actor.kind !== 'user') throw new Problem('bug', 'identity/no-user', { says: 'a page was opened for nobody' });
      const { user, orgs, linked, connections } = await ctx.db.read({ parent: ctx.parent }, async (db) => ({
        user: await findUser(db, actor.id),
        orgs: await listOrgsOfUser(db, actor.id),
        linked: await listLinkedConnections(db, actor.id),
        connections: await listWaysIn(db, MAX_SHOWN),
      }));
      if (!user) throw new Problem('bug', 'identity/no-user', { says: 'the session has no user' });
      const boxes: Html[] = [];
      for (const o of orgs) boxes.push(orgBox(o, await upstairs.mcpServers({ ...ctx, org: o.org }), ctx.origin));
      const unlinked = connections.filter((c) => !linked.some((l) => l.connection === c.id));
      const manager = orgs.find((o) => can(o.role, 'sso.manage'));
      return render({
        title: 'Door',
        ...(orgs[0] ? { name: orgs[0].name } : {}),
        body: html`${mark.open}
          <h1>${user.displayName}</h1>
          <p>Signed in as ${user.email}.</p>
          ${connections.length === 0 && manager && connectFirst(manager, ctx.origin)}
          ${orgs.length === 0 ? html`<p>No organization has given you access yet. Ask whoever manages people there.</p>` : boxes}
          ${waysBox(unlinked)}
          <section class="box">
            <h2>For scripts</h2>
            <p>Every operation is in <a href="/api/openapi.json">the API reference</a>. Scripts send an API key of their organization.</p>
          </section>
          <form method="post" action="/sign-out"><div class="do"><button class="btn">Sign out</button></div></form>`,
      });
    },
  });
