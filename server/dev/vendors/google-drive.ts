// Google Drive's API v3 (developers.google.com/workspace/drive/api/reference/rest/v3: files, permissions, drives, about; guides: search-files,
// manage-uploads, manage-downloads, handle-errors, enable-shareddrives) over a small Workspace, on loopback. One file, because it is read beside
// one reference.
import type { Settings } from '#vault/vendor-auth.ts';
import { DriveWorld, DOC, SHEET, XLSX, type Permission, type StoredFile } from './google-drive-world.ts';
import { parseDriveQuery } from './google-drive-query.ts';
import { GoogleIdentity, type Bearer } from './google-identity.ts';
import { googleError, insufficient, partial, unauthenticated } from './google-wire.ts';
import { header, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';
import { xlsx } from '../office-files.ts';

const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
const READ = [scope('drive.readonly'), scope('drive'), scope('drive.file')];
const WRITE = [scope('drive'), scope('drive.file')];
const ALL_SCOPES = ['drive', 'drive.readonly', 'drive.file', 'drive.metadata.readonly'].map(scope);

export type GoogleDriveStandIn = VendorStandIn & { identity: GoogleIdentity; world: DriveWorld };

export async function startGoogleDrive(): Promise<GoogleDriveStandIn> {
  const identity = new GoogleIdentity(ALL_SCOPES);
  const drive = new DriveApi(identity);
  const server = await serveVendor(['login', 'oauth', 'openid', 'api', 'mcp'], async (r) => {
    const said = (await identity.answer(r)) ?? (r.at === 'api' ? drive.answer(r) : undefined);
    return said ?? googleError(404, 'notFound', 'Not Found');
  });
  identity.audience = `${server.origins['oauth']}/token`;
  drive.base = server.origins['api'] ?? '';
  const key = await identity.keyFile();
  const settings: Settings = { domains: ['acme.example'] };
  return Object.assign(server, {
    settings,
    identity,
    world: drive.world,
    app: identity.app,
    accounts: { service_account: { key, act_as: 'robot@acme.example' } },
    visitor: identity.visitor,
    registerRedirect: (uri: string) => identity.registerRedirect(uri),
    advance: (seconds: number) => identity.advance(seconds),
    endGrants: (account: string) => identity.endGrants(account),
  });
}

const notFound = (id: string): Said =>
  googleError(404, 'notFound', `File not found: ${id}.`, { locationType: 'parameter', location: 'fileId' });
const invalid = (where: string, message = 'Invalid Value'): Said =>
  googleError(400, 'invalid', message, { locationType: 'parameter', location: where });
const json = (value: unknown, r: SeenRequest, defaults?: string): Said => {
  try {
    return { json: partial(value, r.query.get('fields') ?? defaults ?? null) };
  } catch {
    return invalid('fields', 'Invalid field selection');
  }
};

class DriveApi {
  readonly world = new DriveWorld();
  readonly #identity: GoogleIdentity;
  readonly #uploads = new Map<
    string,
    { r: SeenRequest; metadata: Record<string, unknown>; total: number; got: Buffer }
  >();
  base = '';

  constructor(identity: GoogleIdentity) {
    this.#identity = identity;
  }

  answer(r: SeenRequest): Said | undefined {
    const who = this.#identity.bearer(r);
    if (!who) return unauthenticated;
    const [, id, what] = /^\/drive\/v3\/files(?:\/([^/]+)(?:\/(\w+))?)?$/.exec(r.path) ?? [];
    const read = who.scopes.some((s) => READ.includes(s));
    if (r.path === '/drive/v3/about')
      return read
        ? json({ user: { emailAddress: who.email, permissionId: `perm-${who.email}`, displayName: who.email } }, r)
        : insufficient;
    if (!read) return insufficient;
    if (r.path === '/drive/v3/drives' && r.method === 'GET') return this.#drives(r, who);
    if (r.path.startsWith('/upload/drive/v3/files')) return this.#upload(r, who);
    if (!r.path.startsWith('/drive/v3/files')) return undefined;
    if (id === undefined)
      return r.method === 'GET' ? this.#list(r, who) : r.method === 'POST' ? this.#create(r, who) : undefined;
    const file = this.#visible(decodeURIComponent(id), r, who);
    if (!file) return notFound(decodeURIComponent(id));
    if (what === 'export' && r.method === 'GET') return this.#export(file, r);
    if (what === 'permissions') return r.method === 'POST' ? this.#share(file, r, who) : this.#permissions(file, r);
    if (what !== undefined) return undefined;
    if (r.method === 'PATCH') return this.#patch(file, r, who);
    if (r.query.get('alt') === 'media') return this.#download(file);
    return json(this.#shown(file, who), r, 'kind,id,name,mimeType');
  }

  #shown(f: StoredFile, who: Bearer): Record<string, unknown> {
    const role = this.world.role(f, who.email);
    const edits = /owner|rganizer|writer/.test(role ?? '');
    return {
      kind: 'drive#file',
      id: f.id,
      name: f.name,
      mimeType: f.mimeType,
      ...(f.content ? { size: String(f.content.length) } : {}),
      modifiedTime: f.modified,
      createdTime: f.modified,
      // Parents that the account does not see are not told.
      ...(f.parents.some((p) => this.#sees(p, who)) ? { parents: f.parents } : {}),
      ...(f.driveId ? { driveId: f.driveId } : { owners: [{ emailAddress: f.owner }] }),
      webViewLink: `https://drive.google.com/file/d/${f.id}/view`,
      trashed: f.trashed,
      ...(f.shortcut
        ? { shortcutDetails: { targetId: f.shortcut, targetMimeType: this.world.get(f.shortcut)?.mimeType } }
        : {}),
      lastModifyingUser: { emailAddress: f.by },
      capabilities: { canEdit: edits, canShare: edits, canDownload: true },
    };
  }

  #sees(id: string, who: Bearer): boolean {
    const f = this.world.get(id);
    return f !== undefined && this.world.role(f, who.email) !== undefined;
  }

  #visible(id: string, r: SeenRequest, who: Bearer): StoredFile | undefined {
    const f = this.world.get(id === 'root' ? 'rootOfAda' : id);
    if (!f || this.world.role(f, who.email) === undefined) return undefined;
    // Who does not say that he knows of shared drives sees nothing of them.
    // `export` has no such parameter.
    if (f.driveId !== undefined && r.query.get('supportsAllDrives') !== 'true' && !r.path.endsWith('/export'))
      return undefined;
    return who.scopes.some((s) => s === scope('drive') || s === scope('drive.readonly')) || f.byApp ? f : undefined;
  }

  #drives(r: SeenRequest, who: Bearer): Said {
    const mine = [...this.world.drives.values()].filter((d) => d.members[who.email] !== undefined);
    return json(
      { kind: 'drive#driveList', drives: mine.map(({ id, name }) => ({ kind: 'drive#drive', id, name })) },
      r,
    );
  }

  #list(r: SeenRequest, who: Bearer): Said {
    const q = r.query;
    const query = parseDriveQuery(q.get('q') ?? 'trashed = false');
    if (!query) return invalid('q');
    if (query.fullText && q.get('orderBy') !== null)
      return googleError(
        403,
        'forbidden',
        'Sorting is not supported for queries with fullText terms. Results are always in descending relevance order.',
      );
    const corpora = q.get('corpora') ?? 'user';
    const all = q.get('includeItemsFromAllDrives') === 'true';
    if (all && q.get('supportsAllDrives') !== 'true') return invalid('supportsAllDrives');
    if ((corpora === 'drive') !== q.has('driveId') || (corpora !== 'user' && !all)) return invalid('driveId');
    if (q.has('driveId') && this.world.drives.get(q.get('driveId') ?? '')?.members[who.email] === undefined)
      return googleError(404, 'notFound', `Shared drive not found: ${q.get('driveId') ?? ''}`);
    const size = Number(q.get('pageSize') ?? 100);
    if (!(size >= 1 && size <= 1000)) return invalid('pageSize');
    const same = `${q.get('q') ?? ''}|${corpora}`;
    const token = q.get('pageToken');
    let from = 0;
    if (token !== null) {
      const [at, of] = Buffer.from(token, 'base64url').toString('utf8').split('\n');
      if (of !== same || !/^\d+$/.test(at ?? '')) return invalid('pageToken');
      from = Number(at);
    }
    const found = [...this.world.files.values()]
      .filter((f) => this.#visible(f.id, r, who) && !f.id.startsWith('rootOf'))
      .filter((f) => (q.has('driveId') ? f.driveId === q.get('driveId') : all || f.driveId === undefined))
      .filter((f) => query.test(f, this.world, who.email));
    const page = found.slice(from, from + size);
    const more = from + size < found.length;
    return json(
      {
        kind: 'drive#fileList',
        incompleteSearch: false,
        files: page.map((f) => this.#shown(f, who)),
        ...(more ? { nextPageToken: Buffer.from(`${from + size}\n${same}`).toString('base64url') } : {}),
      },
      r,
      'kind,nextPageToken,incompleteSearch,files(kind,id,name,mimeType)',
    );
  }

  #download(f: StoredFile): Said {
    if (!f.content)
      return googleError(
        403,
        'fileNotDownloadable',
        'Only files with binary content can be downloaded. Use Export with Docs Editors files.',
        { location: 'alt', locationType: 'parameter' },
      );
    return { headers: { 'content-type': f.mimeType }, bytes: f.content };
  }

  #export(f: StoredFile, r: SeenRequest): Said {
    if (!f.exports) return googleError(403, 'fileNotExportable', 'Export only supports Docs Editors files.');
    const bytes = f.exports[r.query.get('mimeType') ?? ''];
    if (!bytes)
      return googleError(400, 'badRequest', 'The requested conversion is not supported.', {
        location: 'convertTo',
        locationType: 'parameter',
      });
    if (bytes.length > 10 * 2 ** 20)
      return googleError(403, 'exportSizeLimitExceeded', 'This file is too large to be exported.');
    return { headers: { 'content-type': r.query.get('mimeType') ?? '' }, bytes };
  }

  #mayWrite(f: StoredFile, who: Bearer): Said | undefined {
    if (!who.scopes.some((s) => WRITE.includes(s))) return insufficient;
    if (!who.scopes.includes(scope('drive')) && !f.byApp)
      return googleError(
        403,
        'appNotAuthorizedToFile',
        `The user has not granted the app 123 write access to the file ${f.id}.`,
      );
    if (!/owner|rganizer|writer/.test(this.world.role(f, who.email) ?? ''))
      return googleError(
        403,
        'insufficientFilePermissions',
        `The user does not have sufficient permissions for file ${f.id}.`,
      );
    return undefined;
  }

  #make(metadata: Record<string, unknown>, who: Bearer, r: SeenRequest): StoredFile | Said {
    if (!who.scopes.some((s) => WRITE.includes(s))) return insufficient;
    const parents = Array.isArray(metadata['parents']) ? metadata['parents'].map(String) : ['rootOfAda'];
    if (parents.length > 1) return invalid('parents', 'A file can only have one parent');
    const parent = this.world.get(parents[0] ?? '');
    if (!parent || this.world.role(parent, who.email) === undefined) return notFound(parents[0] ?? '');
    if (parent.driveId !== undefined && r.query.get('supportsAllDrives') !== 'true') return notFound(parents[0] ?? '');
    if (!/owner|rganizer|writer/.test(this.world.role(parent, who.email) ?? ''))
      return googleError(403, 'insufficientParentPermissions', 'Insufficient permissions for the specified parent.');
    return this.world.add({
      name: textOf(metadata['name']) ?? 'Untitled',
      mimeType: textOf(metadata['mimeType']) ?? 'application/octet-stream',
      parents,
      ...(parent.driveId === undefined ? { owner: who.email } : { driveId: parent.driveId }),
      byApp: true,
      by: who.email,
    });
  }

  #fill(f: StoredFile, mimeType: string, bytes: Buffer): void {
    if (f.mimeType === DOC) f.exports = { 'text/markdown': bytes };
    else if (f.mimeType === SHEET)
      f.exports = {
        [XLSX]: Buffer.from(
          xlsx({
            Sheet1: bytes
              .toString('utf8')
              .split('\n')
              .map((l) => l.split(',')),
          }),
        ),
      };
    else {
      f.mimeType = mimeType;
      f.content = bytes;
    }
    f.modified = new Date().toISOString();
  }

  #create(r: SeenRequest, who: Bearer): Said {
    const metadata = jsonOf(r);
    if (!metadata) return googleError(400, 'parseError', 'Parse Error');
    const made = this.#make(metadata, who, r);
    return 'id' in made ? json(this.#shown(made, who), r, 'kind,id,name,mimeType') : made;
  }

  #upload(r: SeenRequest, who: Bearer): Said {
    const session = r.query.get('upload_id');
    if (session !== null && r.method === 'PUT') return this.#piece(session, r, who);
    const id = /^\/upload\/drive\/v3\/files\/([^/]+)$/.exec(r.path)?.[1];
    if ((id === undefined) !== (r.method === 'POST') || (id !== undefined && r.method !== 'PATCH'))
      return googleError(404, 'notFound', 'Not Found');
    if (r.query.get('uploadType') === 'resumable') {
      const metadata = jsonOf(r) ?? {};
      const upload = `AB-${this.#uploads.size + 1}`;
      this.#uploads.set(upload, {
        r,
        metadata,
        total: Number(header(r, 'x-upload-content-length')),
        got: Buffer.alloc(0),
      });
      return { headers: { location: `${this.base}${r.path}?uploadType=resumable&upload_id=${upload}` } };
    }
    const boundary = /^multipart\/related; *boundary="?([^";]+)"?/.exec(header(r, 'content-type') ?? '')?.[1];
    if (r.query.get('uploadType') !== 'multipart' || boundary === undefined)
      return googleError(400, 'badContent', 'Unsupported content with type');
    const parts = r.body
      .toString('latin1')
      .split(`--${boundary}`)
      .slice(1, -1)
      .map((p) => {
        const split = p.indexOf('\r\n\r\n');
        return { type: /content-type: *([^\r\n;]+)/i.exec(p.slice(0, split))?.[1] ?? '', body: p.slice(split + 4, -2) };
      });
    if (parts.length !== 2 || parts[0]?.type !== 'application/json')
      return googleError(400, 'badContent', 'Malformed multipart body.');
    const metadata = JSON.parse(Buffer.from(parts[0].body, 'latin1').toString('utf8')) as Record<string, unknown>;
    return this.#store(r, id, metadata, parts[1]?.type ?? '', Buffer.from(parts[1]?.body ?? '', 'latin1'), who);
  }

  #piece(session: string, r: SeenRequest, who: Bearer): Said {
    const u = this.#uploads.get(session);
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(header(r, 'content-range') ?? '');
    if (!u || !range) return googleError(404, 'notFound', 'Not Found');
    const [from, to, total] = range.slice(1).map(Number) as [number, number, number];
    if (from !== u.got.length || total !== u.total || to - from + 1 !== r.body.length)
      return googleError(400, 'badRequest', 'Invalid range');
    if (to + 1 < total && r.body.length % (256 * 1024) !== 0)
      return googleError(400, 'badRequest', 'Chunks must be multiples of 256 KB');
    u.got = Buffer.concat([u.got, r.body]);
    if (u.got.length < total) return { status: 308, headers: { range: `bytes=0-${u.got.length - 1}` } };
    this.#uploads.delete(session);
    const id = /^\/upload\/drive\/v3\/files\/([^/]+)$/.exec(u.r.path)?.[1];
    return this.#store(u.r, id, u.metadata, header(u.r, 'x-upload-content-type') ?? '', u.got, who);
  }

  #store(
    r: SeenRequest,
    id: string | undefined,
    metadata: Record<string, unknown>,
    type: string,
    bytes: Buffer,
    who: Bearer,
  ): Said {
    const file = id === undefined ? this.#make(metadata, who, r) : (this.#visible(id, r, who) ?? notFound(id));
    if (!('id' in file)) return file;
    const not = id === undefined ? undefined : this.#mayWrite(file, who);
    if (not) return not;
    this.#fill(file, type, bytes);
    return json(this.#shown(file, who), r, 'kind,id,name,mimeType');
  }

  #patch(f: StoredFile, r: SeenRequest, who: Bearer): Said {
    const not = this.#mayWrite(f, who);
    if (not) return not;
    const to = r.query.get('addParents');
    if (to !== null) {
      const parent = this.world.get(to);
      if (!parent || this.world.role(parent, who.email) === undefined) return notFound(to);
      if (r.query.get('removeParents') !== f.parents.join(','))
        return invalid('parents', 'A file can only have one parent');
      f.parents = [to];
      if (parent.driveId === undefined) delete f.driveId;
      else f.driveId = parent.driveId;
    }
    const name = jsonOf(r)?.['name'];
    if (typeof name === 'string') f.name = name;
    return json(this.#shown(f, who), r, 'kind,id,name,mimeType');
  }

  #permissions(f: StoredFile, r: SeenRequest): Said {
    return json({ kind: 'drive#permissionList', permissions: f.permissions }, r);
  }

  #share(f: StoredFile, r: SeenRequest, who: Bearer): Said {
    const not = this.#mayWrite(f, who);
    if (not) return not;
    const p = jsonOf(r);
    const type = p?.['type'];
    if (type !== 'user' && type !== 'group' && type !== 'domain' && type !== 'anyone')
      return invalid('permission.type', 'The permission type field is required.');
    if ((type === 'user' || type === 'group') && typeof p?.['emailAddress'] !== 'string')
      return googleError(
        400,
        'invalidSharingRequest',
        'Bad Request. User message: "You are trying to invite someone without an address."',
      );
    const email = typeof p?.['emailAddress'] === 'string' ? p['emailAddress'] : undefined;
    const made: Permission = {
      id: `perm${f.permissions.length + 1}`,
      type,
      role: textOf(p?.['role']) ?? '',
      ...(email === undefined ? {} : { emailAddress: email }),
    };
    f.permissions.push(made);
    if (email !== undefined && r.query.get('sendNotificationEmail') !== 'false')
      this.world.mails.push({ to: email, message: r.query.get('emailMessage') });
    return json({ kind: 'drive#permission', ...made }, r, 'kind,id,type,role');
  }
}

function jsonOf(r: SeenRequest): Record<string, unknown> | undefined {
  if (!header(r, 'content-type')?.startsWith('application/json')) return undefined;
  try {
    return JSON.parse(r.body.toString('utf8')) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

const textOf = (v: unknown): string | undefined => (typeof v === 'string' ? v : undefined);
