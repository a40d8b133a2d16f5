// The eSignature REST API v2.1 as documented (developers.docusign.com/docs/esign-rest-api/reference: Envelopes, EnvelopeRecipients,
// EnvelopeDocuments, Templates, Users): the parts that our tools use, with errors as `errorCode` and `message` and status 400.
import { randomUUID } from 'node:crypto';
import type { DocusignEnvelope, DocusignRecipient, DocusignUser, DocusignWorld } from './docusign-world.ts';
import { plainPdf } from './plain-pdf.ts';
import type { Said } from './vendor-server.ts';
import type { SeenRequest } from './vendor-stand-in.ts';

export const saidNo = (status: number, errorCode: string, message = errorCode): Said => ({
  status,
  json: { errorCode, message },
});

const emailForm = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

/** Answers one request of a user of the account; the token was looked at before. */
export function docusignApi(world: DocusignWorld, user: DocusignUser, r: SeenRequest, now: Date): Said {
  const [, , , , account = '', kind = '', id = '', part = '', sub = ''] = r.path.split('/');
  if (account !== world.accountId || !user.company)
    return saidNo(401, 'USER_AUTHENTICATION_FAILED', 'One or both of Username and Password are invalid.');
  if (kind === 'users' && r.method === 'GET') return users(world, user, r);
  if (kind === 'templates' && id === '' && r.method === 'GET') return templates(world, r);
  if (kind !== 'envelopes')
    return saidNo(404, 'RESOURCE_NOT_FOUND', 'The URL provided does not resolve to a resource.');
  if (id === '' && r.method === 'GET') return list(world, user, r);
  if (id === '' && r.method === 'POST') return create(world, user, r, now);
  const envelope = world.envelopes.find((e) => e.id === id && sees(user, e));
  if (!envelope)
    return saidNo(
      404,
      'ENVELOPE_DOES_NOT_EXIST',
      'The envelope specified either does not exist or you have no rights to it.',
    );
  if (part === '' && r.method === 'GET') return { json: shown(envelope, world, r.query.get('include') ?? '') };
  if (part === '' && r.method === 'PUT') return update(world, envelope, user, r, now);
  if (part === 'recipients' && r.method === 'GET')
    return {
      json: {
        signers: envelope.signers,
        carbonCopies: envelope.copies,
        agents: [],
        editors: [],
        intermediaries: [],
        certifiedDeliveries: [],
        inPersonSigners: [],
        recipientCount: String(envelope.signers.length + envelope.copies.length),
        currentRoutingOrder: '1',
      },
    };
  if (part === 'documents' && r.method === 'GET') return document(envelope, sub);
  return saidNo(404, 'RESOURCE_NOT_FOUND', 'The URL provided does not resolve to a resource.');
}

const sees = (user: DocusignUser, e: DocusignEnvelope): boolean =>
  user.admin || e.sender === user.account || [...e.signers, ...e.copies].some((x) => x.email === user.email);

function page<T>(all: readonly T[], r: SeenRequest, name: string, of: (x: T) => unknown): Said {
  const size = Number(r.query.get('count') ?? 100);
  const start = Number(r.query.get('start_position') ?? 0);
  if (!(size > 0 && size <= 1000) || !(start >= 0)) return saidNo(400, 'INVALID_REQUEST_PARAMETER');
  const part = all.slice(start, start + size);
  const end = start + part.length - 1;
  // Numbers are text here.
  return {
    json: {
      [name]: part.map(of),
      resultSetSize: String(part.length),
      totalSetSize: String(all.length),
      startPosition: String(start),
      endPosition: String(Math.max(end, 0)),
      ...(end + 1 < all.length && part.length > 0 ? { nextUri: `/${name}?start_position=${end + 1}` } : {}),
    },
  };
}

function users(world: DocusignWorld, user: DocusignUser, r: SeenRequest): Said {
  if (!user.admin)
    return saidNo(400, 'USER_LACKS_PERMISSIONS', 'This user lacks sufficient permissions to access this resource.');
  const [email, status] = [r.query.get('email')?.toLowerCase(), r.query.get('status')];
  const found = world.users.filter(
    (u) =>
      u.company &&
      // Docusign looks for addresses that contain it.
      (email === undefined || u.email.includes(email)) &&
      (status === null || u.status === status),
  );
  return page(found, r, 'users', (u) => ({ userId: u.id, userName: u.name, email: u.email, userStatus: u.status }));
}

const templates = (world: DocusignWorld, r: SeenRequest): Said => {
  const text = r.query.get('search_text')?.toLowerCase() ?? '';
  const found = world.templates.filter((t) => t.name.toLowerCase().includes(text));
  return page(found, r, 'envelopeTemplates', (t) => ({
    templateId: t.id,
    name: t.name,
    description: t.description,
    ...(r.query.get('include') === 'recipients'
      ? { recipients: { signers: t.roles.map((roleName, i) => ({ roleName, recipientId: String(i + 1) })) } }
      : {}),
  }));
};

function list(world: DocusignWorld, user: DocusignUser, r: SeenRequest): Said {
  const from = r.query.get('from_date');
  if (from === null && !r.query.has('envelope_ids'))
    return saidNo(
      400,
      'INVALID_REQUEST_PARAMETER',
      'The request contained at least one invalid parameter. Query parameter from_date must be set.',
    );
  const to = r.query.get('to_date') ?? '9999';
  const states = r.query.get('status')?.split(',');
  const text = (r.query.get('search_text') ?? '').toLowerCase();
  const found = world.envelopes
    .filter(
      (e) =>
        sees(user, e) &&
        e.changed >= (from ?? '') &&
        e.changed <= to &&
        (!states || states.includes(e.status)) &&
        `${e.subject} ${e.signers.map((s) => `${s.name} ${s.email}`).join(' ')}`.toLowerCase().includes(text),
    )
    .toSorted((a, b) => (a.changed < b.changed ? 1 : -1));
  return page(found, r, 'envelopes', (e) => shown(e, world, ''));
}

function shown(e: DocusignEnvelope, world: DocusignWorld, include: string): object {
  const sender = world.users.find((u) => u.account === e.sender);
  return {
    envelopeId: e.id,
    status: e.status,
    emailSubject: e.subject,
    emailBlurb: e.blurb,
    lastModifiedDateTime: e.changed,
    statusChangedDateTime: e.changed,
    ...(e.sent ? { sentDateTime: e.sent } : {}),
    ...(e.completed ? { completedDateTime: e.completed } : {}),
    ...(e.voidedReason ? { voidedReason: e.voidedReason } : {}),
    sender: { userName: sender?.name, userId: sender?.id, email: sender?.email },
    ...(include.split(',').includes('documents')
      ? {
          envelopeDocuments: e.documents.map((d) => ({
            documentId: d.id,
            name: d.name,
            type: 'content',
            pages: String(d.pages),
          })),
        }
      : {}),
  };
}

function document(e: DocusignEnvelope, id: string): Said {
  const pdf = { 'content-type': 'application/pdf' };
  if (id === '')
    return {
      json: { envelopeId: e.id, envelopeDocuments: e.documents.map((d) => ({ documentId: d.id, name: d.name })) },
    };
  if (id === 'combined') return { headers: pdf, bytes: plainPdf(e.documents.map((d) => d.name).join(' and ')) };
  if (id === 'certificate') return { headers: pdf, bytes: plainPdf(`Certificate of completion of ${e.id}`) };
  const found = e.documents.find((d) => d.id === id);
  return found ? { headers: pdf, bytes: found.bytes } : saidNo(404, 'DOCUMENT_DOES_NOT_EXIST');
}

const bodyOf = (r: SeenRequest): Record<string, unknown> => JSON.parse(r.body.toString()) as Record<string, unknown>;
const textOf = (v: unknown): string => (typeof v === 'string' ? v : '');
const listOf = (v: unknown): Record<string, string>[] => (Array.isArray(v) ? (v as Record<string, string>[]) : []);

function create(world: DocusignWorld, user: DocusignUser, r: SeenRequest, now: Date): Said {
  const b = bodyOf(r);
  if (b['status'] !== 'created' && b['status'] !== 'sent') return saidNo(400, 'INVALID_REQUEST_BODY');
  const template = world.templates.find((t) => t.id === b['templateId']);
  if (b['templateId'] !== undefined && !template) return saidNo(400, 'TEMPLATE_ID_INVALID', 'Invalid template ID.');
  const recipient = (x: Record<string, string>, i: number): DocusignRecipient => ({
    recipientId: x['recipientId'] ?? String(i + 1),
    name: x['name'] ?? '',
    email: x['email'] ?? '',
    ...(x['roleName'] === undefined ? {} : { roleName: x['roleName'] }),
    routingOrder: x['routingOrder'] ?? '1',
    status: 'created',
  });
  const given = (b['recipients'] ?? {}) as Record<string, unknown>;
  const roles = listOf(b['templateRoles']);
  if (template && roles.some((x) => !template.roles.includes(x['roleName'] ?? '')))
    return saidNo(400, 'INVALID_TEMPLATE_ROLE', 'The role name is not one of the template.');
  const signers = (template ? roles : listOf(given['signers'])).map(recipient);
  const copies = listOf(given['carbonCopies']).map(recipient);
  if ([...signers, ...copies].some((x) => !emailForm.test(x.email)))
    return saidNo(400, 'INVALID_EMAIL_ADDRESS_FOR_RECIPIENT');
  const documents = template
    ? [{ id: '1', name: `${template.name}.pdf`, bytes: plainPdf(template.document), pages: 1 }]
    : listOf(b['documents']).map((d) => ({
        id: d['documentId'] ?? '1',
        name: d['name'] ?? '',
        bytes: plainPdf(Buffer.from(d['documentBase64'] ?? '', 'base64').toString()),
        pages: 1,
      }));
  const envelope: DocusignEnvelope = {
    id: randomUUID(),
    sender: user.account,
    status: 'created',
    subject: textOf(b['emailSubject']),
    blurb: textOf(b['emailBlurb']),
    changed: now.toISOString(),
    documents,
    signers,
    copies,
  };
  world.envelopes.push(envelope);
  return {
    status: 201,
    json: {
      envelopeId: envelope.id,
      uri: `/envelopes/${envelope.id}`,
      statusDateTime: envelope.changed,
      status: 'created',
    },
  };
}

function update(world: DocusignWorld, e: DocusignEnvelope, user: DocusignUser, r: SeenRequest, now: Date): Said {
  const b = bodyOf(r);
  const all = [...e.signers, ...e.copies];
  if (!user.admin && e.sender !== user.account) return saidNo(400, 'USER_LACKS_PERMISSIONS');
  if (b['status'] === 'sent') {
    if (e.status !== 'created')
      return saidNo(
        400,
        'ENVELOPE_INVALID_STATUS',
        'Invalid envelope status. Envelope status is not one of: Created, Template.',
      );
    if (e.documents.length === 0 || all.length === 0 || e.subject === '')
      return saidNo(400, 'ENVELOPE_IS_INCOMPLETE', 'The Envelope is not Complete.');
    Object.assign(e, { status: 'sent', sent: now.toISOString() });
    for (const x of all) world.mails.push({ to: x.email, subject: e.subject, why: 'sent' });
  } else if (b['status'] === 'voided') {
    if (typeof b['voidedReason'] !== 'string' || b['voidedReason'] === '')
      return saidNo(400, 'INVALID_REQUEST_BODY', 'voidedReason is required.');
    if (!['sent', 'delivered', 'signed'].includes(e.status))
      return saidNo(
        400,
        'ENVELOPE_CANNOT_VOID_INVALID_STATE',
        'Only envelopes in the Sent, Delivered or Signed states may be voided.',
      );
    Object.assign(e, { status: 'voided', voidedReason: b['voidedReason'] });
    for (const x of all) world.mails.push({ to: x.email, subject: e.subject, why: 'voided' });
  } else return saidNo(400, 'INVALID_REQUEST_BODY');
  e.changed = now.toISOString();
  return { json: { envelopeId: e.id } };
}
