// A vendor's stand-in as a process of its own, to try Gatehouse against by hand:
//   node server/dev/vendors/serve.ts --vendor google-drive
// prints one line of JSON with its addresses, and what an administrator enters. At the address `control` (JSON, POST) whoever runs it plays the
// vendor's own people: {"registerRedirect": URI}, {"visitor": {"account": "ada", "answer": "allow"}}, {"advance": SECONDS}, {"endGrants": ACCOUNT}.
// It ends when its standard input does; in the background it needs one that stays open (`sleep infinity | node …`).
import { z } from 'zod';
import { parseJson } from '#kernel/json.ts';
import { serveStandIn, standInArgs } from '../stand-in-process.ts';
import { startDocusign } from './docusign.ts';
import { startGitHub } from './github.ts';
import { startGmail } from './gmail.ts';
import { startGoogleDrive } from './google-drive.ts';
import { startMicrosoft } from './microsoft.ts';
import { startNotion } from './notion.ts';
import { startSalesforce } from './salesforce.ts';
import { startSlack } from './slack.ts';
import type { VendorStandIn } from './vendor-stand-in.ts';

const starts: Readonly<Record<string, () => Promise<VendorStandIn>>> = {
  docusign: startDocusign,
  github: startGitHub,
  gmail: startGmail,
  'google-drive': startGoogleDrive,
  notion: startNotion,
  onedrive: startMicrosoft,
  outlook: startMicrosoft,
  salesforce: startSalesforce,
  slack: () => startSlack(),
};

const Told = z.union([
  z.strictObject({ registerRedirect: z.string() }),
  z.strictObject({
    visitor: z.strictObject({
      account: z.string(),
      answer: z.enum(['allow', 'deny']),
      without: z.array(z.string()).optional(),
    }),
  }),
  z.strictObject({ advance: z.number() }),
  z.strictObject({ endGrants: z.string() }),
]);

const { vendor: type, port } = standInArgs(['vendor']);
const start = starts[type ?? ''];
if (!start) throw new RangeError(`--vendor is one of ${Object.keys(starts).join(', ')}`);
const vendor = await start();

function told(t: z.infer<typeof Told>): void {
  if ('registerRedirect' in t) vendor.registerRedirect(t.registerRedirect);
  else if ('visitor' in t) {
    const { without, ...visitor } = t.visitor;
    Object.assign(vendor.visitor, visitor, { without });
  } else if ('advance' in t) vendor.advance(t.advance);
  else vendor.endGrants(t.endGrants);
}

await serveStandIn(
  port,
  () => (req, res) => {
    const parts: Buffer[] = [];
    req.on('data', (d: Buffer) => parts.push(d));
    req.on('end', () => {
      try {
        told(Told.parse(parseJson(Buffer.concat(parts))));
        res.writeHead(204).end();
      } catch (e) {
        res.writeHead(400, { 'content-type': 'text/plain' }).end(e instanceof Error ? e.message : 'not understood');
      }
    });
  },
  (url) => ({
    control: url,
    origins: JSON.stringify(vendor.origins),
    settings: JSON.stringify(vendor.settings),
    app: JSON.stringify(vendor.app),
    accounts: JSON.stringify(vendor.accounts),
  }),
);
