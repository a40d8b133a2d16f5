// Drives, sites and search of Graph v1.0 (learn.microsoft.com/graph/api: driveitem-get, -list-children, -get-content, -put-content,
// -post-children, -invite, -createlink, -search, drive-get, drive-list, site-search, site-get, search-query; permissions-selected-overview).
// Content comes by a redirect to an address that is its own permission and takes no bearer.
import { randomBytes } from 'node:crypto';
import { GraphSays, jsonOf, list, need, paged, picked, userOf, type GraphCall } from './microsoft-graph.ts';
import {
  APP_READ,
  APP_WRITE,
  checkName,
  denied,
  driveFields,
  driveOf,
  grantOf,
  item,
  mayItem,
  notFound,
  READ,
  reach,
  shownDrive,
  shownItem,
  siteFields,
  WRITE,
  type Downloads,
} from './microsoft-drives.ts';
import { newItemId, type MsDrive, type MsItem } from './microsoft-world.ts';
import { header, type Said } from './vendor-server.ts';
import type { SeenRequest } from './vendor-stand-in.ts';

export function microsoftFiles(downloads: Downloads) {
  const handle = (c: GraphCall): Said | undefined => {
    const { path, r } = c;
    const get = r.method === 'GET';
    let m = /^\/(me|users\/[^/]+)\/(drive|drives|followedSites)$/.exec(path);
    if (m && get) {
      need(
        c,
        READ,
        APP_READ.filter((p) => p !== 'Sites.Selected'),
      );
      const user = userOf(c, m[1] === 'me' ? 'me' : (m[1] ?? '').slice(6));
      const drives = c.world.drives.filter((d) => 'user' in d.owner && d.owner.user === user.mail);
      if (m[2] === 'drives') return list(drives.map((d) => picked(c, shownDrive(d), driveFields)));
      if (m[2] === 'drive') {
        const [own] = drives;
        if (!own) throw new GraphSays(404, 'ResourceNotFound', "User's mysite not found.");
        return { json: picked(c, shownDrive(own), driveFields) };
      }
      return list(c.world.sites.filter((s) => s.members.includes(user.mail)).map((s) => shownSite(c, s.id)));
    }
    if (path === '/sites' && get) {
      need(c, ['Sites.Read.All', 'Sites.ReadWrite.All'], ['Sites.Read.All', 'Sites.ReadWrite.All', 'Sites.Selected']);
      const words = r.query.get('search')?.toLowerCase() ?? '';
      const found = c.world.sites.filter(
        (s) => (words === '*' || s.name.toLowerCase().includes(words)) && siteOpen(c, s.id),
      );
      const { page, next } = paged(c, found, { by: 'token', top: 200, max: 200 });
      return list(
        page.map((s) => shownSite(c, s.id)),
        next,
      );
    }
    m = /^\/sites\/([^/]+)(\/drives)?$/.exec(path);
    if (m && get) {
      need(c, READ, APP_READ);
      const id = decodeURIComponent(m[1] ?? '').toLowerCase();
      if (!c.world.sites.some((s) => s.id === id)) throw notFound();
      if (!siteOpen(c, id)) throw denied();
      if (m[2] === undefined) return { json: shownSite(c, id) };
      const drives = c.world.drives.filter((d) => 'site' in d.owner && d.owner.site === id);
      return list(drives.map((d) => picked(c, shownDrive(d), driveFields)));
    }
    if (path === '/search/query' && r.method === 'POST') return search(c);
    m = /^\/drives\/([^/]+)(\/.*)?$/.exec(path);
    return m ? inDrive(c, driveOf(c, m[1] ?? ''), m[2] ?? '') : undefined;
  };

  function siteOpen(c: GraphCall, id: string): boolean {
    const { token } = c;
    if (token.kind === 'person') return c.world.sites.some((s) => s.id === id && s.members.includes(token.user.mail));
    return (
      ['Sites.Read.All', 'Sites.ReadWrite.All'].some((p) => token.app.roles.has(p)) ||
      grantOf(token.app, id) !== undefined
    );
  }
  function shownSite(c: GraphCall, id: string): Record<string, unknown> {
    const s = c.world.sites.find((x) => x.id === id);
    return picked(
      c,
      { id, displayName: s?.name, name: s?.name, webUrl: `https://acme.sharepoint.example${s?.path}` },
      siteFields,
    );
  }

  function inDrive(c: GraphCall, drive: MsDrive, rest: string): Said {
    const write = c.r.method !== 'GET';
    need(c, write ? WRITE : READ, write ? APP_WRITE : APP_READ);
    const inHere = c.world.items.filter((i) => i.drive === drive.id);
    if (rest === '') {
      if (
        !reach(c, drive, false) &&
        !inHere.some((i) => i.shared.some((s) => c.token.kind === 'person' && s.who === c.token.user.mail))
      )
        throw denied();
      return { json: picked(c, shownDrive(drive), driveFields) };
    }
    const [target, after] = placeOf(c, inHere, rest);
    if (!mayItem(c, drive, target, write)) throw denied();
    return onItem(c, drive, target, after);
  }

  /** `/root`, `/items/{id}`, each with `:/path:` behind it or not, and what is asked of it. */
  function placeOf(c: GraphCall, all: readonly MsItem[], rest: string): [MsItem, string] {
    const m = /^\/(root|items\/([^/:]+))(?::\/([^:]*)(?::(\/.*))?|(\/.*))?$/.exec(rest);
    if (!m) throw new GraphSays(400, 'invalidRequest', 'Invalid request');
    const itemId = m[2] === undefined ? undefined : decodeURIComponent(m[2]);
    const first = all.find((i) =>
      itemId === undefined || itemId === 'root' ? i.parent === undefined : i.id === itemId,
    );
    if (!first) throw notFound();
    let here = first;
    const names = (m[3] ?? '')
      .split('/')
      .filter((n) => n !== '')
      .map((n) => decodeURIComponent(n));
    const isNew = c.r.method === 'PUT' && m[4] === '/content';
    for (const [at, name] of names.entries()) {
      const up = here;
      // As the real one: dots walk.
      const next =
        name === '..'
          ? all.find((i) => i.id === up.parent)
          : all.find((i) => i.parent === up.id && i.name.toLowerCase() === name.toLowerCase());
      if (!next && isNew && at === names.length - 1) return [up, `:new:${name}`];
      if (!next) throw notFound();
      here = next;
    }
    return [here, m[4] ?? m[5] ?? ''];
  }

  function onItem(c: GraphCall, drive: MsDrive, target: MsItem, after: string): Said {
    const { r } = c;
    const how = `${r.method} ${after}`;
    if (how === 'GET ') return { json: item(c, target) };
    if (how === 'GET /children') {
      if (!target.folder || target.remote) throw new GraphSays(400, 'invalidRequest', 'The item is not a folder.');
      const children = c.world.items.filter((i) => i.parent === target.id);
      const { page, next } = paged(c, children, { by: 'token', top: 200, max: 1000 });
      return list(
        page.map((i) => item(c, i)),
        next,
      );
    }
    if (how === 'GET /content') {
      if (target.folder) throw new GraphSays(400, 'invalidRequest', 'You cannot get content for a folder');
      const mark = randomBytes(24).toString('base64url');
      downloads.set(mark, target);
      return { status: 302, headers: { location: `${c.api}/_layouts/15/download.aspx?tempauth=${mark}` } };
    }
    if (how === 'GET /permissions')
      return list([
        { id: 'own', roles: ['owner'], grantedToV2: { user: { displayName: 'Owner', email: target.by } } },
        ...target.shared.map((s, n) => ({ id: `p${n}`, roles: s.roles, grantedToV2: { user: { email: s.who } } })),
        ...target.links.map((l, n) => ({
          id: `l${n}`,
          roles: ['read'],
          link: { ...l, webUrl: 'https://acme.sharepoint.example/:t:/g/secret-mark' },
        })),
      ]);
    const found = /^GET \/search\(q='(.*)'\)$/.exec(how);
    if (found) {
      const words = decodeURIComponent(found[1] ?? '')
        .replaceAll("''", "'")
        .toLowerCase()
        .split(/\s+/);
      const hits = c.world.items.filter(
        (i) =>
          i.drive === drive.id &&
          i.parent !== undefined &&
          words.every((w) => `${i.name} ${i.bytes.toString()}`.toLowerCase().includes(w)),
      );
      const { page, next } = paged(c, hits, { by: 'token', top: 200, max: 200 });
      return list(
        page.map((i) => item(c, i)),
        next,
      );
    }
    if (how === 'POST /children') {
      const body = jsonOf(c);
      const name = checkName(body['name']);
      if (c.world.items.some((i) => i.parent === target.id && i.name.toLowerCase() === name.toLowerCase()))
        throw exists();
      return { status: 201, json: item(c, add(c, drive, target, name, undefined)) };
    }
    if (r.method === 'PUT' && (after.startsWith(':new:') || after === '/content')) return put(c, drive, target, after);
    if (how === 'POST /invite') {
      const body = jsonOf(c);
      const to = (body['recipients'] as { email?: string }[]).map((x) => x.email ?? '');
      const roles = body['roles'] as string[];
      if (to.some((x) => !/^[^@\s]+@[^@\s]+$/.test(x)) || !roles?.every((x) => x === 'read' || x === 'write'))
        throw new GraphSays(400, 'invalidRequest', 'One or more recipients or roles are not valid.');
      c.world.invitations.push({ item: target.id, to, roles, message: body['message'] as string | undefined });
      for (const who of to) target.shared.push({ who, roles });
      return list(
        to.map((email, n) => ({ id: `i${n}`, roles, grantedToV2: { user: { email } }, invitation: { email } })),
      );
    }
    if (how === 'POST /createLink') {
      const { type, scope } = jsonOf(c);
      if (!['view', 'edit'].includes(String(type)) || !['organization', 'anonymous', 'users'].includes(String(scope)))
        throw new GraphSays(400, 'invalidRequest', 'Invalid link.');
      target.links.push({ type: String(type), scope: String(scope) });
      return {
        status: 201,
        json: {
          id: 'link',
          roles: ['read'],
          link: { type, scope, webUrl: `https://acme.sharepoint.example/:t:/g/${randomBytes(6).toString('hex')}` },
        },
      };
    }
    throw new GraphSays(405, 'notAllowed', 'The operation is not allowed.');
  }

  const exists = (): GraphSays => new GraphSays(409, 'nameAlreadyExists', 'The specified item name already exists.');

  function add(c: GraphCall, drive: MsDrive, parent: MsItem, name: string, bytes: Buffer | undefined): MsItem {
    const made: MsItem = {
      id: newItemId(),
      drive: drive.id,
      parent: parent.id,
      name,
      folder: bytes === undefined,
      bytes: bytes ?? Buffer.alloc(0),
      mime: header(c.r, 'content-type') ?? 'application/octet-stream',
      modified: new Date(c.now() * 1000).toISOString(),
      by: c.token.kind === 'person' ? c.token.user.mail : 'app',
      shared: [],
      links: [],
    };
    c.world.items.push(made);
    return made;
  }

  function put(c: GraphCall, drive: MsDrive, target: MsItem, after: string): Said {
    const conflict = c.r.query.get('@microsoft.graph.conflictBehavior') ?? 'replace';
    if (after.startsWith(':new:'))
      return { status: 201, json: item(c, add(c, drive, target, checkName(after.slice(5)), c.r.body)) };
    if (conflict === 'fail') throw exists();
    if (target.folder) throw new GraphSays(409, 'nameAlreadyExists', 'A folder has that name.');
    target.bytes = c.r.body;
    return { json: item(c, target) };
  }

  /** KQL as far as it is used here: words and phrases, all of which must occur, and three restrictions. */
  function search(c: GraphCall): Said {
    need(c, READ, ['Files.Read.All', 'Sites.Read.All']);
    const [q] = (jsonOf(c)['requests'] ?? []) as {
      query?: { queryString?: string };
      from?: number;
      size?: number;
      region?: string;
    }[];
    if (c.token.kind === 'app' && q?.region === undefined)
      throw new GraphSays(400, 'BadRequest', 'Region is required when request with application permission.');
    const text = q?.query?.queryString ?? '';
    const terms = [...text.matchAll(/(\w+)(:|>=)("[^"]*"|\S+)|"([^"]*)"|(\S+)/g)];
    const hit = (i: MsItem): boolean =>
      terms.every(([, property, , value = '', phrase, word]) => {
        const v = value.replaceAll('"', '').toLowerCase();
        if (property === 'filetype') return i.name.toLowerCase().endsWith(`.${v}`);
        if (property === 'LastModifiedTime') return i.modified >= v;
        if (property !== undefined) return property === 'author' && i.by.includes(v);
        return `${i.name} ${i.bytes.toString()}`.toLowerCase().includes((phrase ?? word ?? '').toLowerCase());
      });
    const hits = c.world.items.filter((i) => {
      const drive = c.world.drives.find((d) => d.id === i.drive);
      // INVARIANT of the real one, sad as it is: for an app the search knows nothing of Sites.Selected.
      return i.parent !== undefined && drive && (c.token.kind === 'app' || mayItem(c, drive, i, false)) && hit(i);
    });
    const from = q?.from ?? 0;
    const page = hits.slice(from, from + (q?.size ?? 25));
    return {
      json: {
        value: [
          {
            hitsContainers: [
              {
                total: hits.length,
                moreResultsAvailable: from + page.length < hits.length,
                hits: page.map((i) => ({
                  hitId: i.id,
                  rank: 1,
                  summary: `<c0>${i.name}</c0> <ddd/>`,
                  resource: { '@odata.type': '#microsoft.graph.driveItem', ...shownItem(c, i) },
                })),
              },
            ],
          },
        ],
      },
    };
  }

  return {
    handle,
    /** The address that a content request leads to: its own permission, and no bearer is taken. */
    download(r: SeenRequest): Said {
      const found = downloads.get(r.query.get('tempauth') ?? '');
      if (!found || header(r, 'authorization') !== undefined) return { status: 401, text: 'Unauthorized' };
      return { bytes: found.bytes, headers: { 'content-type': found.mime } };
    },
  };
}
