// Mail and calendars of Graph v1.0 (learn.microsoft.com/graph/api: user-list-messages, message-get, message-list-attachments, attachment-get,
// user-post-messages, message-createreply, message-update, message-send, user-sendmail, search-query-parameter, outlook-immutable-id).
// `$search` and `$filter` are taken as far as they are documented for messages and used here.
import { randomUUID } from 'node:crypto';
import { GraphSays, jsonOf, list, need, paged, picked, userOf, type GraphCall } from './microsoft-graph.ts';
import { calendar } from './microsoft-calendar.ts';
import { addresses, DENIED, missing } from './microsoft-mail-parts.ts';
import { newMessageId, type MsAttachment, type MsMessage, type MsUser } from './microsoft-world.ts';
import { header, type Said } from './vendor-server.ts';

const MAIL_READ = ['Mail.Read', 'Mail.ReadWrite'];

const messageFields = [
  'id subject bodyPreview body from sender toRecipients ccRecipients bccRecipients replyTo',
  'receivedDateTime sentDateTime isRead isDraft hasAttachments conversationId parentFolderId',
  'webLink importance internetMessageId changeKey',
].flatMap((line) => line.split(' '));
const attachmentFields = [
  'id',
  'name',
  'contentType',
  'size',
  'isInline',
  'lastModifiedDateTime',
  'contentBytes',
  'item',
];
/** Well-known folders; others have ids. */
const folders = ['inbox', 'sentitems', 'drafts', 'archive', 'deleteditems', 'junkemail'];

const address = (a: string): unknown => ({ emailAddress: { name: a.split('@')[0], address: a } });

export const microsoftMail =
  () =>
  (c: GraphCall): Said | undefined => {
    const m = /^\/(me|users\/[^/]+)(\/.*)$/.exec(c.path);
    if (!m) return undefined;
    const user = userOf(c, m[1] === 'me' ? 'me' : (m[1] ?? '').slice(6), DENIED);
    const { token } = c;
    // RBAC for Applications: what the app's role in Exchange does not cover is closed.
    if (token.kind === 'app' && token.app.mailboxes && !token.app.mailboxes.has(user.mail))
      throw new GraphSays(
        403,
        DENIED,
        'Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.',
      );
    return messages(c, user, m[2] ?? '') ?? calendar(c, user, m[2] ?? '');
  };

function messages(c: GraphCall, user: MsUser, rest: string): Said | undefined {
  const { r, world } = c;
  const get = r.method === 'GET';
  const own = world.messages.filter((x) => x.mailbox === user.mail);
  let m = /^(?:\/mailFolders\/([^/]+))?\/messages$/.exec(rest);
  if (m && get) {
    need(c, MAIL_READ, MAIL_READ, DENIED);
    const folder = m[1] === undefined ? undefined : decodeURIComponent(m[1]);
    if (folder !== undefined && !folders.includes(folder)) throw missing();
    const found = own.filter((x) => folder === undefined || x.folder === folder).filter(wanted(c));
    found.sort((a, b) => b.received.localeCompare(a.received));
    const search = r.query.has('$search');
    const { page, next } = paged(c, found, { by: search ? 'token' : 'skip', top: 10, max: search ? 250 : 1000 });
    return list(
      page.map((x) => shown(c, x)),
      next,
    );
  }
  if (rest === '/messages' && r.method === 'POST') {
    need(c, ['Mail.ReadWrite'], ['Mail.ReadWrite'], DENIED);
    return { status: 201, json: shown(c, draft(c, user, jsonOf(c))) };
  }
  if (rest === '/sendMail' && r.method === 'POST') {
    need(c, ['Mail.Send'], ['Mail.Send'], DENIED);
    const { message } = jsonOf(c);
    const made = draft(c, user, message as Record<string, unknown>);
    send(c, made);
    return { status: 202, text: '' };
  }
  m = /^\/messages\/([^/]+)(\/.*)?$/.exec(rest);
  if (!m) return undefined;
  const id = decodeURIComponent(m[1] ?? '');
  const message = own.find((x) => x.id === id);
  const how = `${r.method} ${m[2] ?? ''}`;
  need(
    c,
    get ? MAIL_READ : how === 'POST /send' ? ['Mail.Send'] : ['Mail.ReadWrite'],
    get ? MAIL_READ : how === 'POST /send' ? ['Mail.Send'] : ['Mail.ReadWrite'],
    DENIED,
  );
  if (!message) throw missing();
  if (how === 'GET ') return { json: shown(c, message) };
  if (how === 'GET /attachments') return list(message.attachments.map((a) => attachment(c, a, false)));
  if (how === 'POST /createReply' || how === 'POST /createReplyAll') {
    const all = how.endsWith('All') ? message.to.filter((x) => x !== user.mail) : [];
    const made = draft(c, user, {
      subject: `RE: ${message.subject}`,
      body: { contentType: 'text', content: message.text },
      toRecipients: [message.from, ...all].map(address),
      ccRecipients: how.endsWith('All') ? message.cc.map(address) : [],
    });
    made.conversation = message.conversation;
    return { status: 201, json: shown(c, made) };
  }
  if (how === 'PATCH ') {
    if (!message.draft) throw new GraphSays(400, 'ErrorInvalidPropertySet', 'Only drafts can be changed in this way.');
    apply(message, jsonOf(c));
    return { json: shown(c, message) };
  }
  if (how === 'POST /send') {
    if (!message.draft) throw new GraphSays(400, 'ErrorInvalidRequest', 'Only drafts can be sent.');
    send(c, message);
    return { status: 202, text: '' };
  }
  const a = /^\/attachments\/([^/]+)(\/\$value)?$/.exec(m[2] ?? '');
  const found = a && message.attachments.find((x) => x.id === decodeURIComponent(a[1] ?? ''));
  if (!a || !get) return undefined;
  if (!found) throw missing();
  if (a[2] === undefined) return { json: attachment(c, found, true) };
  if (found.kind === 'reference')
    throw new GraphSays(405, 'ErrorInvalidRequest', 'The raw content of a reference attachment cannot be had.');
  if (found.kind === 'item')
    return {
      bytes: Buffer.from(`Subject: ${found.subject}\r\n\r\n${found.text}`),
      headers: { 'content-type': 'text/plain' },
    };
  return { bytes: found.bytes, headers: { 'content-type': found.mime } };
}

/** `$search` and `$filter`, which do not go together. */
function wanted(c: GraphCall): (m: MsMessage) => boolean {
  const { query } = c.r;
  const search = query.get('$search');
  const filter = query.get('$filter');
  const order = query.get('$orderby');
  if (search !== null) {
    if (filter !== null || order !== null)
      throw new GraphSays(
        400,
        'SearchWithFilter',
        'The query parameter $search cannot be used with $filter or $orderby.',
      );
    const whole = /^"((?:[^"\\]|\\.)*)"$/s.exec(search)?.[1];
    if (whole === undefined) throw new GraphSays(400, 'BadRequest', 'Syntax error: character is not valid in $search.');
    return kql(whole.replaceAll(/\\(.)/g, '$1'));
  }
  if (filter === null) return () => true;
  const parts = filter.split(' and ').map((p) => condition(p.trim()));
  if (order !== null && !filter.startsWith(order.split(' ')[0] ?? ''))
    throw new GraphSays(400, 'InefficientFilter', 'The restriction or sort order is too complex for this operation.');
  return (m) => parts.every((p) => p(m));
}

function condition(text: string): (m: MsMessage) => boolean {
  const date = /^receivedDateTime (ge|lt) (\S+)$/.exec(text);
  if (date) {
    const at = Date.parse(date[2] ?? '');
    if (Number.isNaN(at)) throw new GraphSays(400, 'BadRequest', 'Invalid filter clause.');
    return (m) => (date[1] === 'ge' ? Date.parse(m.received) >= at : Date.parse(m.received) < at);
  }
  if (/^isRead eq (true|false)$/.test(text)) return (m) => m.read === text.endsWith('true');
  if (/^hasAttachments eq (true|false)$/.test(text)) return (m) => m.attachments.length > 0 === text.endsWith('true');
  throw new GraphSays(400, 'BadRequest', 'Invalid filter clause.');
}

/** KQL of messages: words and phrases, and properties of theirs. */
function kql(text: string): (m: MsMessage) => boolean {
  const terms = [...text.matchAll(/(\w+)(:|>=|<=)("[^"]*"|\S+)|"([^"]*)"|(\S+)/g)];
  const has = (within: string | readonly string[], v: string): boolean =>
    [within].flat().some((x) => x.toLowerCase().includes(v));
  return (m) =>
    terms.every(([, property, op, value = '', phrase, word]) => {
      const v = value.replaceAll('"', '').toLowerCase();
      switch (property) {
        case undefined:
          return word === 'AND' || has([m.subject, m.text, m.from], (phrase ?? word ?? '').toLowerCase());
        case 'from':
          return has(m.from, v);
        case 'to':
          return has(m.to, v);
        case 'subject':
          return has(m.subject, v);
        case 'hasattachments':
          return m.attachments.length > 0 === (v === 'true');
        case 'received':
          return op === '>=' ? m.received.slice(0, 10) >= v : m.received.slice(0, 10) <= v;
        default:
          throw new GraphSays(400, 'BadRequest', `Syntax error: '${property}' is no property.`);
      }
    });
}

function shown(c: GraphCall, m: MsMessage): Record<string, unknown> {
  const asText = /outlook\.body-content-type="text"/.test(header(c.r, 'prefer') ?? '');
  return picked(
    c,
    {
      '@odata.etag': 'W/"1"',
      id: m.id,
      subject: m.subject,
      bodyPreview: m.text.slice(0, 255),
      body:
        asText || m.html === undefined
          ? { contentType: 'text', content: m.text }
          : { contentType: 'html', content: m.html },
      from: address(m.from),
      toRecipients: m.to.map(address),
      ccRecipients: m.cc.map(address),
      bccRecipients: m.bcc.map(address),
      receivedDateTime: m.received,
      isRead: m.read,
      isDraft: m.draft,
      hasAttachments: m.attachments.length > 0,
      conversationId: m.conversation,
      webLink: `https://outlook.office365.example/owa/?ItemID=${encodeURIComponent(m.id)}`,
    },
    messageFields,
  );
}

function attachment(c: GraphCall, a: MsAttachment, whole: boolean): Record<string, unknown> {
  const expand = c.r.query.get('$expand');
  return {
    '@odata.type': {
      file: '#microsoft.graph.fileAttachment',
      item: '#microsoft.graph.itemAttachment',
      reference: '#microsoft.graph.referenceAttachment',
    }[a.kind],
    ...picked(
      c,
      {
        id: a.id,
        name: a.name,
        contentType: a.mime,
        size: a.kind === 'file' ? a.bytes.length : 100,
        isInline: false,
        contentBytes: whole && a.kind === 'file' ? a.bytes.toString('base64') : undefined,
        item:
          whole && a.kind === 'item' && expand === 'microsoft.graph.itemAttachment/item'
            ? {
                '@odata.type': '#microsoft.graph.message',
                subject: a.subject,
                body: { contentType: 'text', content: a.text },
              }
            : undefined,
      },
      attachmentFields,
    ),
  };
}

function apply(m: MsMessage, body: Record<string, unknown>): void {
  const known = ['subject', 'body', 'toRecipients', 'ccRecipients', 'bccRecipients', 'importance'];
  const wrong = Object.keys(body).find((k) => !known.includes(k));
  if (wrong !== undefined)
    throw new GraphSays(
      400,
      'RequestBodyRead',
      `The property '${wrong}' does not exist on type 'microsoft.graph.message'.`,
    );
  const text = body['body'] as { contentType?: string; content?: string } | undefined;
  if (typeof body['subject'] === 'string') m.subject = body['subject'];
  if (text) {
    m.text = text.content ?? '';
    if (text.contentType?.toLowerCase() === 'html') m.html = text.content ?? '';
  }
  if ('toRecipients' in body) m.to = addresses(body['toRecipients']);
  if ('ccRecipients' in body) m.cc = addresses(body['ccRecipients']);
  if ('bccRecipients' in body) m.bcc = addresses(body['bccRecipients']);
}

function draft(c: GraphCall, user: MsUser, body: Record<string, unknown>): MsMessage {
  const m: MsMessage = {
    id: newMessageId(),
    mailbox: user.mail,
    folder: 'drafts',
    subject: '',
    text: '',
    from: user.mail,
    to: [],
    cc: [],
    bcc: [],
    received: new Date(c.now() * 1000).toISOString(),
    read: true,
    draft: true,
    conversation: randomUUID(),
    attachments: [],
  };
  apply(m, body);
  c.world.messages.push(m);
  return m;
}

function send(c: GraphCall, m: MsMessage): void {
  if (m.to.length + m.cc.length + m.bcc.length === 0)
    throw new GraphSays(400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
  m.draft = false;
  m.folder = 'sentitems';
  c.world.sent.push(m);
}
