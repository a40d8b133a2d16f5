import { z } from 'zod';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { docusign, nextStart, Paging } from './docusign-api.ts';
import { Limit, reading, Start } from './read-tools.ts';

const Template = z.looseObject({
  templateId: z.string(),
  name: z.string().optional(),
  description: z.string().nullish(),
  lastModified: z.string().optional(),
});

export const listTemplatesTool = builtinTool({
  name: 'list_templates',
  title: 'List templates',
  description: 'Lists templates of the account that the connected user may use, for create_draft_envelope.',
  input: z.strictObject({
    search_text: z.string().min(1).max(48).optional().describe('Words of the name'),
    limit: Limit,
    start: Start,
  }),
  class: 'read',
  projection: [{ kind: 'text', at: '/search_text' }],
  scopes: reading,
  brings: ['private'],
  outward: false,
  async run(call, args) {
    const page = await docusign(
      call,
      {
        method: 'GET',
        path: '/templates',
        query: {
          search_text: args.search_text,
          count: args.limit,
          start_position: args.start ?? 0,
          include: 'recipients',
        },
      },
      z.looseObject({
        envelopeTemplates: z
          .array(
            Template.extend({
              recipients: z
                .looseObject({ signers: z.array(z.looseObject({ roleName: z.string().optional() })).default([]) })
                .optional(),
            }),
          )
          .default([]),
        ...Paging,
      }),
    );
    const rolesOf = (t: (typeof page.envelopeTemplates)[number]): string[] =>
      t.recipients?.signers.flatMap((s) => s.roleName ?? []) ?? [];
    const next = nextStart(page);
    return textAnswer(
      [
        `${page.envelopeTemplates.length} of ${page.totalSetSize} templates`,
        ...page.envelopeTemplates.map(
          (t) =>
            `${t.templateId} ${t.name ?? '(no name)'}${t.description ? `: ${t.description}` : ''}${rolesOf(t).length > 0 ? ` [roles: ${rolesOf(t).join(', ')}]` : ''}`,
        ),
        ...(next === undefined ? [] : [`(more: start ${next})`]),
      ],
      {
        templates: page.envelopeTemplates.map((t) => ({ id: t.templateId, name: t.name ?? null, roles: rolesOf(t) })),
        total: page.totalSetSize,
        ...(next === undefined ? {} : { next_start: next }),
      },
    );
  },
});
