import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { segment } from '../../kit/vendor-path.ts';
import { docusign } from './docusign-api.ts';
import { EnvelopeId } from './read-tools.ts';
import { checkDomains, checkSame, recipientsOf } from './recipients.ts';
import { Guid } from './settings.ts';

const Address = z.email().max(100);
const Line = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\p{Cc}]*$/u, 'expected one line');
/** More is a mail merge, which is not for an agent. */
const MAX_RECIPIENTS = 20;
const MAX_DOCUMENTS = 5;

const Recipient = z.strictObject({
  name: Line.describe('As it stands in the mail and on the certificate'),
  email: Address,
  kind: z.enum(['signer', 'copy']).default('signer').describe('signer signs; copy gets the finished documents'),
  role: Line.optional().describe('With template_id: the role of the template, exactly as it is called there'),
  order: z.int().min(1).max(50).optional().describe('Whose turn it is; the same number at the same time. Default 1'),
});

export const createDraftEnvelopeTool = builtinTool({
  name: 'create_draft_envelope',
  title: 'Draft an envelope',
  description:
    'Makes a draft of an envelope from a template, or from texts that become documents. Nobody gets anything until send_envelope. Signers of texts put their signature where they want; places for it are set in Docusign or in a template.',
  input: z
    .strictObject({
      subject: Line.describe('Subject of the mail, at most 100 characters'),
      message: z.string().max(10_000).optional().describe('Text of the mail, plain'),
      template_id: Guid.optional().describe('As list_templates shows it'),
      documents: z
        .array(
          z.strictObject({
            name: Line.describe('File name of the document, without an ending'),
            text: z.string().min(1).max(100_000).describe('The whole text, plain'),
          }),
        )
        .min(1)
        .max(MAX_DOCUMENTS)
        .optional(),
      recipients: z.array(Recipient).min(1).max(MAX_RECIPIENTS),
    })
    .describe('Either template_id or documents'),
  class: 'write',
  projection: [
    { kind: 'recipient', at: '/recipients/*/email' },
    { kind: 'text', at: '/subject' },
    { kind: 'text', at: '/message' },
    { kind: 'text', at: '/documents/*/text' },
  ],
  scopes: ['signature'],
  brings: [],
  outward: false,
  async run(call, args) {
    const { template_id: template, documents } = args;
    if ((template === undefined) === (documents === undefined))
      throw new Problem('invalid', 'connectors/docusign-draft', {
        says:
          template === undefined
            ? 'a draft needs template_id or documents'
            : 'a draft has template_id or documents, not both',
        fix: 'give one of them',
      });
    const noRole = template !== undefined && args.recipients.find((r) => r.role === undefined);
    if (noRole)
      throw new Problem('invalid', 'connectors/docusign-role', {
        says: `${noRole.email} has no role, and recipients of a template take one of its roles`,
        fix: 'give each recipient the role that list_templates shows',
      });
    checkDomains(
      call,
      args.recipients.map((r) => r.email),
    );
    const of = (kind: 'signer' | 'copy'): object[] =>
      args.recipients.flatMap((r, i) =>
        r.kind === kind
          ? [{ name: r.name, email: r.email, recipientId: String(i + 1), routingOrder: String(r.order ?? 1) }]
          : [],
      );
    const made = await docusign(
      call,
      {
        method: 'POST',
        path: '/envelopes',
        json: {
          status: 'created',
          emailSubject: args.subject,
          ...(args.message === undefined ? {} : { emailBlurb: args.message }),
          ...(template === undefined
            ? {
                documents: documents?.map((d, i) => ({
                  documentId: String(i + 1),
                  name: d.name,
                  fileExtension: 'txt',
                  documentBase64: Buffer.from(d.text).toString('base64'),
                })),
                recipients: { signers: of('signer'), carbonCopies: of('copy') },
              }
            : {
                templateId: template,
                templateRoles: args.recipients.map((r) => ({
                  name: r.name,
                  email: r.email,
                  roleName: r.role,
                  routingOrder: String(r.order ?? 1),
                })),
              }),
        },
      },
      z.looseObject({ envelopeId: z.string(), status: z.string() }),
    );
    return textAnswer(
      [
        `The draft ${made.envelopeId} is there (${made.status}); nobody has got anything.`,
        `send_envelope sends it to ${args.recipients.map((r) => r.email).join(', ')}.`,
      ],
      { id: made.envelopeId, status: made.status },
    );
  },
});

const Updated = z.looseObject({ envelopeId: z.string().optional() });

export const sendEnvelopeTool = builtinTool({
  name: 'send_envelope',
  title: 'Send an envelope',
  description:
    'Sends a draft to its recipients, who get a mail and may sign. recipients must be exactly the addresses that the draft has (list_recipients): to others it is not sent.',
  input: z.strictObject({
    envelope_id: EnvelopeId,
    recipients: z.array(Address).min(1).max(50).describe('Addresses of all recipients of the draft'),
  }),
  class: 'destructive',
  projection: [
    { kind: 'recipient', at: '/recipients/*' },
    { kind: 'path', at: '/envelope_id' },
  ],
  scopes: ['signature'],
  brings: [],
  outward: true,
  async run(call, args) {
    const path = `/envelopes/${segment(args.envelope_id)}`;
    const { recipients } = await recipientsOf(call, args.envelope_id);
    checkSame(args.recipients, recipients);
    checkDomains(call, args.recipients);
    await docusign(call, { method: 'PUT', path, json: { status: 'sent' } }, Updated);
    return textAnswer([`The envelope ${args.envelope_id} was sent to ${args.recipients.join(', ')}.`], {
      id: args.envelope_id,
      status: 'sent',
    });
  },
});

export const voidEnvelopeTool = builtinTool({
  name: 'void_envelope',
  title: 'Void an envelope',
  description:
    'Ends an envelope that was sent and is not completed: nobody can sign it any more, for ever. Its recipients get a mail with the reason.',
  input: z.strictObject({
    envelope_id: EnvelopeId,
    reason: z.string().trim().min(1).max(200).describe('Why; recipients read it. At most 200 characters'),
  }),
  class: 'destructive',
  projection: [
    { kind: 'path', at: '/envelope_id' },
    { kind: 'text', at: '/reason' },
  ],
  scopes: ['signature'],
  brings: [],
  outward: true,
  async run(call, args) {
    const path = `/envelopes/${segment(args.envelope_id)}`;
    await docusign(call, { method: 'PUT', path, json: { status: 'voided', voidedReason: args.reason } }, Updated);
    return textAnswer([`The envelope ${args.envelope_id} was voided; its recipients are told why.`], {
      id: args.envelope_id,
      status: 'voided',
    });
  },
});
