import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { oneLine } from '../../kit/one-line.ts';
import { everywhere, parsed } from './drive-api.ts';
import { driveLimits, fileWithin } from './drive-limits.ts';
import { DriveId, DriveSettings } from './settings.ts';
import { writing } from './write-tools.ts';

const Permission = z.looseObject({ id: z.string(), type: z.string(), role: z.string() });

export const shareFileTool = builtinTool({
  name: 'share_file',
  title: 'Share a file',
  description:
    'Gives access to a file or folder of Google Drive: to one person or group by e-mail address (with), or, where an administrator allows it, to everyone who has the link (public_link). Access to a folder is access to all that is in it. Google sends the person an e-mail unless notify is false.',
  input: z
    .strictObject({
      file_id: DriveId.describe('Id of the file or folder'),
      with: z.email().max(254).optional().describe('E-mail address of the person or group'),
      group: z.boolean().default(false).describe('Whether the address is of a group'),
      public_link: z.boolean().default(false).describe('Everyone who has the link, instead of `with`'),
      role: z.enum(['reader', 'commenter', 'writer']).describe('What they may do'),
      notify: z.boolean().default(true).describe('Whether Google sends an e-mail'),
      message: z.string().max(1000).optional().describe('Text in that e-mail'),
    })
    .refine((a) => (a.with !== undefined) !== a.public_link, 'either `with` or `public_link` is needed')
    .refine((a) => a.message === undefined || (a.notify && !a.public_link), 'a message goes only with a notification'),
  class: 'destructive',
  projection: [
    { kind: 'path', at: '/file_id' },
    { kind: 'recipient', at: '/with' },
    { kind: 'text', at: '/message' },
  ],
  scopes: writing,
  brings: [],
  outward: true,
  async run(call, args) {
    if (args.public_link && DriveSettings.parse(call.settings).public_links !== true)
      throw new Problem('forbidden', 'connectors/drive-public-link', {
        says: 'this connector shares nothing with everyone who has the link',
        fix: 'share it with persons by their addresses; an administrator can allow public links in the settings of the connector',
      });
    const file = await fileWithin(call.vendor, driveLimits(call), args.file_id);
    const answer = await call.vendor.send({
      method: 'POST',
      path: `/drive/v3/files/${file.id}/permissions`,
      query: {
        ...everywhere,
        fields: 'id,type,role',
        ...(args.public_link ? {} : { sendNotificationEmail: args.notify, emailMessage: args.message }),
      },
      json: args.public_link
        ? { type: 'anyone', role: args.role, allowFileDiscovery: false }
        : { type: args.group ? 'group' : 'user', role: args.role, emailAddress: args.with },
    });
    const p = parsed(Permission, answer.json());
    return textAnswer([`${oneLine(file.name)}: ${args.with ?? 'everyone with the link'} is now ${p.role}`], {
      id: file.id,
      permission_id: p.id,
      role: p.role,
    });
  },
});
