// Gmail's API v1 (developers.google.com/workspace/gmail/api/reference/rest/v1: users.threads, messages.attachments, labels, drafts, profile; guides
// drafts, threads, handle-errors) over a few mailboxes, on loopback.
import type { Settings } from '#vault/vendor-auth.ts';
import { GoogleIdentity, type Bearer } from './google-identity.ts';
import { googleError, insufficient, unauthenticated } from './google-wire.ts';
import { GmailWorld, partsOf, type ApiPart, type Mailbox, type StoredMessage } from './gmail-world.ts';
import { header, serveVendor, type Said } from './vendor-server.ts';
import type { SeenRequest, VendorStandIn } from './vendor-stand-in.ts';

const scope = (name: string): string => `https://www.googleapis.com/auth/${name}`;
const ALL = ['gmail.readonly', 'gmail.compose', 'gmail.modify', 'gmail.send', 'gmail.metadata'].map(scope);
const READ = ['gmail.readonly', 'gmail.modify'].map(scope);
const COMPOSE = ['gmail.compose', 'gmail.modify'].map(scope);

export type GmailStandIn = VendorStandIn & { identity: GoogleIdentity; world: GmailWorld };

export async function startGmail(): Promise<GmailStandIn> {
  const identity = new GoogleIdentity(ALL);
  const gmail = new GmailApi(identity);
  const server = await serveVendor(['login', 'oauth', 'openid', 'api', 'mcp'], async (r) => {
    const said = (await identity.answer(r)) ?? (r.at === 'api' ? gmail.answer(r) : undefined);
    return said ?? googleError(404, 'notFound', 'Requested entity was not found.');
  });
  identity.audience = `${server.origins['oauth']}/token`;
  const key = await identity.keyFile();
  const settings: Settings = { domains: ['acme.example'] };
  return Object.assign(server, {
    settings,
    identity,
    world: gmail.world,
    app: identity.app,
    accounts: { service_account: { key, act_as: 'robot@acme.example' } },
    visitor: identity.visitor,
    registerRedirect: (uri: string) => identity.registerRedirect(uri),
    advance: (seconds: number) => identity.advance(seconds),
    endGrants: (account: string) => identity.endGrants(account),
  });
}

const gone = googleError(404, 'notFound', 'Requested entity was not found.');
const bad = (message: string): Said => googleError(400, 'invalidArgument', message);

class GmailApi {
  readonly world = new GmailWorld();
  readonly #identity: GoogleIdentity;
  constructor(identity: GoogleIdentity) {
    this.#identity = identity;
  }

  answer(r: SeenRequest): Said | undefined {
    const who = this.#identity.bearer(r);
    if (!who) return unauthenticated;
    const [, user, kind, id, more, last] =
      /^\/gmail\/v1\/users\/([^/]+)\/(profile|threads|messages|labels|drafts)(?:\/([^/]+))?(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(
        r.path,
      ) ?? [];
    if (kind === undefined) return undefined;
    if (user !== 'me' && decodeURIComponent(user ?? '') !== who.email)
      return googleError(403, 'forbidden', `Delegation denied for ${who.email}`);
    // A service account that acts as itself has no mailbox.
    if (who.service) return googleError(400, 'failedPrecondition', 'Precondition check failed.');
    const box = this.world.box(who.email);
    const may = (scopes: readonly string[]): boolean => who.scopes.some((s) => scopes.includes(s));
    const at = `${r.method} ${kind}${id === undefined ? '' : '/'}${more === undefined ? '' : more}`;
    switch (at) {
      case 'GET profile':
        return { json: { emailAddress: who.email, messagesTotal: box.messages.length, historyId: '1' } };
      case 'GET labels':
        return may(READ)
          ? { json: { labels: box.labels.map((l) => ({ ...l, type: l.id.startsWith('Label_') ? 'user' : 'system' })) } }
          : insufficient;
      case 'GET threads':
        return may(READ) ? this.#threads(box, r) : insufficient;
      case 'GET threads/':
        return may(READ) ? this.#thread(box, id ?? '', r) : insufficient;
      case 'POST threads/modify':
        return who.scopes.includes(scope('gmail.modify')) ? this.#modify(box, id ?? '', r) : insufficient;
      case 'GET messages/':
        return may(READ) ? this.#message(box, id ?? '', r) : insufficient;
      case 'GET messages/attachments': {
        const bytes = this.world.attachments.get(last ?? '');
        if (!may(READ)) return insufficient;
        return bytes && box.messages.some((m) => m.id === id)
          ? { json: { size: bytes.length, data: bytes.toString('base64url') } }
          : bad('Invalid attachment token');
      }
      case 'POST drafts':
        return may(COMPOSE) ? this.#draft(box, who, r) : insufficient;
      case 'GET drafts/':
        return may([...COMPOSE, ...READ]) ? this.#getDraft(box, id ?? '', r) : insufficient;
      case 'POST drafts/':
        return id === 'send' ? (may(COMPOSE) ? this.#send(box, who, r) : insufficient) : undefined;
      default:
        return undefined;
    }
  }

  #shown(m: StoredMessage, format: string | null, only: readonly string[]): Record<string, unknown> {
    const common = {
      id: m.id,
      threadId: m.threadId,
      labelIds: m.labelIds,
      snippet: '',
      internalDate: String(m.at),
      sizeEstimate: m.raw.length,
    };
    if (format === 'minimal') return common;
    if (format === 'raw') return { ...common, raw: m.raw.toString('base64url') };
    const payload = partsOf(m.raw, (bytes) => this.world.fresh(bytes));
    if (format !== 'metadata') return { ...common, payload };
    const wanted = only.map((n) => n.toLowerCase());
    const headers = payload.headers.filter((h) => wanted.length === 0 || wanted.includes(h.name.toLowerCase()));
    return { ...common, payload: { mimeType: payload.mimeType, headers } };
  }

  #threads(box: Mailbox, r: SeenRequest): Said {
    const size = Number(r.query.get('maxResults') ?? 100);
    if (!(size >= 1 && size <= 500)) return bad('Invalid maxResults');
    const q = r.query.get('q') ?? '';
    const labels = r.query.getAll('labelIds');
    const fits = box.messages.filter(
      (m) =>
        matches(m, q) &&
        labels.every((l) => m.labelIds.includes(l)) &&
        (r.query.get('includeSpamTrash') === 'true' || !m.labelIds.some((l) => l === 'TRASH' || l === 'SPAM')),
    );
    const ids = [...new Set(fits.toSorted((a, b) => b.at - a.at).map((m) => m.threadId))];
    const from = Number(r.query.get('pageToken') ?? 0);
    if (!Number.isInteger(from)) return bad('Invalid pageToken');
    return {
      json: {
        ...(ids.length === 0
          ? {}
          : { threads: ids.slice(from, from + size).map((id) => ({ id, snippet: '', historyId: '1' })) }),
        ...(from + size < ids.length ? { nextPageToken: String(from + size) } : {}),
        resultSizeEstimate: ids.length,
      },
    };
  }

  #thread(box: Mailbox, id: string, r: SeenRequest): Said {
    const messages = box.messages.filter((m) => m.threadId === id);
    if (messages.length === 0) return gone;
    const only = r.query.getAll('metadataHeaders');
    return { json: { id, historyId: '1', messages: messages.map((m) => this.#shown(m, r.query.get('format'), only)) } };
  }

  #message(box: Mailbox, id: string, r: SeenRequest): Said {
    const m = box.messages.find((x) => x.id === id);
    return m ? { json: this.#shown(m, r.query.get('format'), []) } : gone;
  }

  #modify(box: Mailbox, id: string, r: SeenRequest): Said {
    const messages = box.messages.filter((m) => m.threadId === id);
    if (messages.length === 0) return gone;
    const { addLabelIds: add = [], removeLabelIds: remove = [] } = jsonOf(r) as {
      addLabelIds?: string[];
      removeLabelIds?: string[];
    };
    for (const l of [...add, ...remove]) if (!box.labels.some((x) => x.id === l)) return bad(`Invalid label: ${l}`);
    for (const m of messages) m.labelIds = [...new Set([...m.labelIds.filter((l) => !remove.includes(l)), ...add])];
    return { json: { id, messages: messages.map(({ id: m, threadId, labelIds }) => ({ id: m, threadId, labelIds })) } };
  }

  #draft(box: Mailbox, who: Bearer, r: SeenRequest): Said {
    const { message } = jsonOf(r) as { message?: { raw?: string; threadId?: string } };
    if (typeof message?.raw !== 'string')
      return bad("'raw' RFC822 payload message string or uploading message via /upload/* URL required");
    const m = this.world.put(who.email, Buffer.from(message.raw, 'base64url'), {
      labelIds: ['DRAFT'],
      ...(message.threadId === undefined ? {} : { threadId: message.threadId }),
    });
    const draft = { id: `r-${box.drafts.length + 1}00`, message: m };
    box.drafts.push(draft);
    return { json: { id: draft.id, message: { id: m.id, threadId: m.threadId, labelIds: m.labelIds } } };
  }

  #getDraft(box: Mailbox, id: string, r: SeenRequest): Said {
    const d = box.drafts.find((x) => x.id === id);
    return d ? { json: { id: d.id, message: this.#shown(d.message, r.query.get('format'), []) } } : gone;
  }

  #send(box: Mailbox, who: Bearer, r: SeenRequest): Said {
    const { id, message } = jsonOf(r) as { id?: string; message?: { raw?: string } };
    const d = box.drafts.find((x) => x.id === id);
    if (!d) return gone;
    // A draft may be sent as it is, or with another message that is given here.
    if (message?.raw !== undefined) d.message.raw = Buffer.from(message.raw, 'base64url');
    const { headers } = partsOf(d.message.raw, () => '');
    const to = headers
      .filter((h) => /^(?:to|cc|bcc)$/i.test(h.name))
      .flatMap((h) => h.value.match(/[^\s<>,]+@[^\s<>,]+/g) ?? []);
    if (to.length === 0) return googleError(400, 'invalidArgument', 'Recipient address required');
    box.drafts.splice(box.drafts.indexOf(d), 1);
    d.message.labelIds = ['SENT'];
    this.world.sent.push({ from: who.email, to, raw: d.message.raw });
    return { json: { id: d.message.id, threadId: d.message.threadId, labelIds: d.message.labelIds } };
  }
}

const flat = (p: ApiPart): string =>
  [...(p.body.data ? [Buffer.from(p.body.data, 'base64url').toString('utf8')] : []), ...(p.parts ?? []).map(flat)].join(
    ' ',
  );

/** A small part of the search language: from:, to:, subject:, label:, in:, words. */
function matches(m: StoredMessage, q: string): boolean {
  const p = partsOf(m.raw, () => '');
  const header = (name: string): string =>
    (p.headers.find((h) => h.name.toLowerCase() === name)?.value ?? '').toLowerCase();
  return (q.match(/(?:[^\s"]|"[^"]*")+/g) ?? []).every((word) => {
    const [, name, value] = /^(\w+):(.+)$/.exec(word.toLowerCase()) ?? [];
    if (name === 'in' || name === 'label' || name === 'is')
      return m.labelIds.map((l) => l.toLowerCase()).includes(value ?? '');
    if (name === 'from' || name === 'to' || name === 'subject') return header(name).includes(value ?? '');
    return `${header('subject')} ${flat(p).toLowerCase()}`.includes(word.toLowerCase().replaceAll('"', ''));
  });
}

function jsonOf(r: SeenRequest): Record<string, unknown> {
  if (!header(r, 'content-type')?.startsWith('application/json')) return {};
  return JSON.parse(r.body.toString('utf8')) as Record<string, unknown>;
}
