import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { readAs, said } from '../microsoft/graph.ts';
import { driveArgument, itemArgument, itemAt, limitsOf, openDrive, openTarget, pathArgument } from './place.ts';
import { Permission } from './read-tools.ts';
import { writes } from './scopes.ts';

const place = { drive: driveArgument, item: itemArgument, path: pathArgument };
const projection = [
  { kind: 'folder', at: '/drive' },
  { kind: 'path', at: '/path' },
  { kind: 'path', at: '/item' },
] as const;

export const shareItem = builtinTool({
  name: 'share_item',
  title: 'Share with people',
  description:
    'Gives people access to a file or folder and sends them a mail about it. They have to sign in. By id or by path.',
  input: z.strictObject({
    ...place,
    recipients: z.array(z.email().max(320)).min(1).max(20).describe('Addresses of the people'),
    role: z.enum(['read', 'write']).describe('What they may do with it'),
    message: z.string().max(2000).optional().describe('Text in the mail'),
  }),
  class: 'destructive',
  projection: [...projection, { kind: 'recipient', at: '/recipients/*' }, { kind: 'text', at: '/message' }],
  scopes: writes,
  brings: [],
  outward: true,
  async run(call, args) {
    const { share_domains: domains } = limitsOf(call);
    const elsewhere = args.recipients.filter(
      (r) => domains && !domains.includes(r.slice(r.lastIndexOf('@') + 1).toLowerCase()),
    );
    if (elsewhere.length > 0)
      throw new Problem('forbidden', 'connectors/onedrive-recipient', {
        says: `${elsewhere.join(', ')}: this connector shares only with addresses in ${domains?.join(', ')}`,
        fix: 'leave them out, or ask an administrator to add the domain to the settings of the connector',
      });
    const drive = await openDrive(call, args.drive);
    const item = await openTarget(call, drive, args);
    const answer = await call.vendor.send({
      method: 'POST',
      path: `/v1.0${itemAt(drive, item)}/invite`,
      json: {
        recipients: args.recipients.map((email) => ({ email })),
        roles: [args.role],
        requireSignIn: true,
        sendInvitation: true,
        ...(args.message === undefined ? {} : { message: args.message }),
      },
    });
    const given = readAs(z.object({ value: z.array(Permission) }), answer.json()).value;
    return said([`${item.name ?? 'The item'} is shared with ${args.recipients.join(', ')} (${args.role}).`], {
      item: item.id,
      drive: drive.id,
      recipients: args.recipients,
      role: args.role,
      permissions: given.flatMap((p) => p.id ?? []),
    });
  },
});

export const createLink = builtinTool({
  name: 'create_link',
  title: 'Make a link for sharing',
  description:
    'Makes a link to a file or folder that works for everybody in the organization, or, where an administrator allows it, for anybody who has it.',
  input: z.strictObject({
    ...place,
    type: z.enum(['view', 'edit']).describe('What those who have the link may do'),
    scope: z.enum(['organization', 'anonymous']).default('organization').describe('For whom it works'),
    expires: z.iso.datetime({ offset: true }).optional().describe('When the link ends; anonymous links only'),
  }),
  class: 'destructive',
  projection: [...projection, { kind: 'text', at: '/scope' }],
  scopes: writes,
  brings: [],
  outward: true,
  async run(call, args) {
    if (args.scope === 'anonymous' && !limitsOf(call).anonymous_links)
      throw new Problem('forbidden', 'connectors/onedrive-anonymous', {
        says: 'links that work for anybody without signing in are not allowed by this connector',
        fix: 'make a link for the organization, or share_item with the people who need it',
      });
    const drive = await openDrive(call, args.drive);
    const item = await openTarget(call, drive, args);
    const answer = await call.vendor.send({
      method: 'POST',
      path: `/v1.0${itemAt(drive, item)}/createLink`,
      json: {
        type: args.type,
        scope: args.scope,
        ...(args.expires === undefined ? {} : { expirationDateTime: new Date(args.expires).toISOString() }),
      },
    });
    const link = readAs(Permission, answer.json()).link;
    // A tenant's policy can make another link than the one that was asked for; that must not pass for the wanted one.
    const scope = link?.scope ?? 'unknown';
    return said(
      [
        `The link: ${link?.webUrl ?? '(none)'} (${link?.type ?? args.type}, for ${scope})`,
        scope === args.scope ? undefined : `Asked for was a link for ${args.scope}; the tenant made one for ${scope}.`,
      ],
      { item: item.id, drive: drive.id, url: link?.webUrl ?? null, type: link?.type ?? null, scope },
    );
  },
});
