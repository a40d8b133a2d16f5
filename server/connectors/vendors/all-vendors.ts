import type { Settings } from '#vault/vendor-auth.ts';
import type { Manifest } from '../kit/manifest.ts';
import { OPENAPI, openApiManifest } from '../openapi/openapi-manifest.ts';
import { asanaManifest } from './asana/manifest.ts';
import { atlassianManifest } from './atlassian/manifest.ts';
import { canvaManifest } from './canva/manifest.ts';
import { docusignManifest } from './docusign/manifest.ts';
import { github } from './github/manifest.ts';
import { gmailManifest } from './gmail/manifest.ts';
import { googleDriveManifest } from './google-drive/manifest.ts';
import { hubspotManifest } from './hubspot/manifest.ts';
import { linearManifest } from './linear/manifest.ts';
import { notionManifest } from './notion/manifest.ts';
import { notionMcpManifest } from './notion-mcp/manifest.ts';
import { oneDrive } from './onedrive/manifest.ts';
import { outlook } from './outlook/manifest.ts';
import { salesforceManifest } from './salesforce/manifest.ts';
import { slackManifest } from './slack/manifest.ts';
import { supabaseManifest } from './supabase/manifest.ts';
import { workIq } from './work-iq/manifest.ts';

/** Every kind of system that Gatehouse knows, by type. A new vendor is a folder beside this file and a line here (CONTRIBUTING.md). */
export const vendors: readonly Manifest[] = [
  asanaManifest,
  atlassianManifest,
  canvaManifest,
  docusignManifest,
  github,
  gmailManifest,
  googleDriveManifest,
  hubspotManifest,
  linearManifest,
  notionManifest,
  notionMcpManifest,
  oneDrive,
  outlook,
  salesforceManifest,
  slackManifest,
  supabaseManifest,
  workIq,
];

/**
 * The manifest of a type; undefined: it is no vendor of ours (`mcp` is a server of the customer's own). What is particular about an imported
 * service is in the settings of its connector, so for them alone those are needed.
 */
export const vendorOf = (type: string, settings?: Settings): Manifest | undefined =>
  type === OPENAPI && settings ? openApiManifest(settings) : vendors.find((v) => v.type === type);
