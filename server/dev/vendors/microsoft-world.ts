// The tenant of the stand-in: people, drives, sites, mailboxes and calendars, in the shapes of Microsoft Graph v1.0.
import { randomUUID } from 'node:crypto';

export const TENANT = '0f1c2d3e-4a5b-4c6d-8e7f-90a1b2c3d4e5';
export const OTHER_TENANT = 'dddddddd-1111-4222-8333-444444444444';
export const PERSONAL = '9188040d-6c67-4c5b-b112-36a304b66dad';
export const DOMAIN = 'acme.example';

export type MsUser = { account: string; oid: string; tenant: string; upn: string; mail: string; name: string };
export type MsItem = {
  id: string;
  drive: string;
  parent: string | undefined;
  name: string;
  folder: boolean;
  bytes: Buffer;
  mime: string;
  modified: string;
  by: string;
  /** Who else may come in, by address, and how. */
  shared: { who: string; roles: string[] }[];
  links: { type: string; scope: string }[];
  /** A shared folder of another drive. */
  remote?: { drive: string; item: string };
  package?: string;
};
export type MsDrive = { id: string; name: string; owner: { user: string } | { site: string } };
export type MsSite = { id: string; name: string; path: string; members: string[] };
export type MsMessage = {
  id: string;
  mailbox: string;
  folder: string;
  subject: string;
  text: string;
  html?: string;
  from: string;
  to: string[];
  cc: string[];
  bcc: string[];
  received: string;
  read: boolean;
  draft: boolean;
  conversation: string;
  attachments: MsAttachment[];
};
export type MsAttachment = { id: string; name: string; mime: string } & (
  | { kind: 'file'; bytes: Buffer }
  | { kind: 'item'; subject: string; text: string }
  | { kind: 'reference' }
);
export type MsEvent = {
  id: string;
  mailbox: string;
  subject: string;
  body: string;
  /** UTC. */
  start: string;
  end: string;
  attendees: string[];
  location: string;
};

/** An app registration, as an administrator of the tenant keeps it. */
export type MsApp = {
  clientId: string;
  secrets: { value: string; name: string; ends: Date }[];
  certificates: { pem: string; name: string; ends: Date }[];
  redirects: Set<string>;
  /** Application permissions with consent. */
  roles: Set<string>;
  /** Sites.Selected: which sites were granted to the app, and how. */
  siteGrants: Map<string, 'read' | 'write'>;
  /** RBAC for Applications in Exchange: the mailboxes that the app may use; undefined: all. */
  mailboxes: Set<string> | undefined;
  disabled: boolean;
  /** Whether only administrators consent, as managed tenants have it. */
  adminConsentOnly: boolean;
};

export type MsWorld = {
  users: MsUser[];
  sites: MsSite[];
  drives: MsDrive[];
  items: MsItem[];
  messages: MsMessage[];
  events: MsEvent[];
  /** What left the mailboxes. */
  sent: MsMessage[];
  invitations: { item: string; to: string[]; roles: string[]; message: string | undefined }[];
  /** Items of a page where a request asks for more. */
  pageSize: number;
};

const id = (): string => randomUUID().replaceAll('-', '').toUpperCase();
export const newItemId = (): string => `01${id()}`;
export const newMessageId = (): string => `AAMkAD${Buffer.from(randomUUID()).toString('base64url')}=`;

export const SITE_SALES = `acme.sharepoint.example,11111111-1111-4111-8111-111111111111,21111111-1111-4111-8111-111111111111`;
/** Below Sales, in the same site collection. */
export const SITE_BOARD = `acme.sharepoint.example,11111111-1111-4111-8111-111111111111,23333333-3333-4333-8333-333333333333`;
export const SITE_HR = `acme.sharepoint.example,12222222-2222-4222-8222-222222222222,22222222-2222-4222-8222-222222222222`;
export const DRIVE = {
  ada: 'b!ada-drive',
  bob: 'b!bob-drive',
  sales: 'b!sales-docs',
  hr: 'b!hr-docs',
  board: 'b!board-docs',
  foreign: 'b!foreign',
};

export function microsoftWorld(): MsWorld {
  const user = (account: string, name: string, tenant = TENANT, domain = DOMAIN): MsUser => ({
    account,
    oid: randomUUID(),
    tenant,
    upn: `${account}@${domain}`,
    mail: `${account}@${domain}`,
    name,
  });
  const items: MsItem[] = [];
  const add = (drive: string, parent: string | undefined, name: string, more: Partial<MsItem> = {}): string => {
    const item: MsItem = {
      id: newItemId(),
      drive,
      parent,
      name,
      folder: more.bytes === undefined,
      bytes: Buffer.alloc(0),
      mime: 'text/plain',
      modified: '2026-10-01T09:00:00Z',
      by: `ada@${DOMAIN}`,
      shared: [],
      links: [],
      ...more,
    };
    items.push(item);
    return item.id;
  };
  const file = (text: string, mime = 'text/plain'): Partial<MsItem> => ({ bytes: Buffer.from(text), mime });
  const ada = add(DRIVE.ada, undefined, 'root');
  const reports = add(DRIVE.ada, ada, 'Reports');
  const year = add(DRIVE.ada, reports, '2026');
  add(DRIVE.ada, year, 'june.md', file('# June\n\nLamps sold: 412', 'text/markdown'));
  add(DRIVE.ada, year, "it's 100 #1 Ünï.txt", file('odd name'));
  add(DRIVE.ada, reports, 'page.html', file('<p>Budget <b>plan</b></p><script>x()</script>', 'text/html'));
  add(DRIVE.ada, ada, 'private.txt', file('only mine'));
  const bob = add(DRIVE.bob, undefined, 'root', { by: `bob@${DOMAIN}` });
  const shared = add(DRIVE.bob, bob, 'For Ada', { shared: [{ who: `ada@${DOMAIN}`, roles: ['read'] }] });
  add(DRIVE.bob, shared, 'from-bob.txt', file('hello Ada'));
  add(DRIVE.bob, bob, 'diary.txt', file('dear diary'));
  add(DRIVE.ada, ada, 'For Ada', { remote: { drive: DRIVE.bob, item: shared } });
  const sales = add(DRIVE.sales, undefined, 'root');
  const offers = add(DRIVE.sales, sales, 'Offers');
  add(DRIVE.sales, offers, 'offer.txt', file('An offer of lamps'));
  add(DRIVE.sales, sales, 'prices.csv', file('lamp,price\nA,10\n', 'text/csv'));
  const board = add(DRIVE.board, undefined, 'root');
  add(DRIVE.board, board, 'minutes.txt', file('lamps will be dearer'));
  const hr = add(DRIVE.hr, undefined, 'root');
  add(DRIVE.hr, hr, 'salaries.txt', file('lamps budget: secret'));
  const message = (m: Partial<MsMessage> & Pick<MsMessage, 'mailbox' | 'subject' | 'text' | 'from'>): MsMessage => ({
    id: newMessageId(),
    folder: 'inbox',
    to: [m.mailbox],
    cc: [],
    bcc: [],
    received: '2026-11-02T08:30:00Z',
    read: false,
    draft: false,
    conversation: randomUUID(),
    attachments: [],
    ...m,
  });
  return {
    users: [
      user('ada', 'Ada Lovelace'),
      user('bob', 'Bob Bulb'),
      user('mallory', 'Mallory', OTHER_TENANT, 'evil.example'),
      { ...user('pat', 'Pat', PERSONAL, 'mail.example'), oid: '00000000-0000-0000-1234-56789abcdef0' },
    ],
    sites: [
      { id: SITE_SALES, name: 'Sales', path: '/sites/sales', members: [`ada@${DOMAIN}`, `bob@${DOMAIN}`] },
      { id: SITE_BOARD, name: 'Board', path: '/sites/sales/board', members: [`ada@${DOMAIN}`] },
      { id: SITE_HR, name: 'HR', path: '/sites/hr', members: [`ada@${DOMAIN}`] },
    ],
    drives: [
      { id: DRIVE.ada, name: 'OneDrive', owner: { user: `ada@${DOMAIN}` } },
      { id: DRIVE.bob, name: 'OneDrive', owner: { user: `bob@${DOMAIN}` } },
      { id: DRIVE.sales, name: 'Documents', owner: { site: SITE_SALES } },
      { id: DRIVE.board, name: 'Documents', owner: { site: SITE_BOARD } },
      { id: DRIVE.hr, name: 'Documents', owner: { site: SITE_HR } },
      { id: DRIVE.foreign, name: 'OneDrive', owner: { user: 'mallory@evil.example' } },
    ],
    items,
    messages: [
      message({
        mailbox: `ada@${DOMAIN}`,
        subject: 'Budget plan',
        text: 'The budget plan for lamps is attached.',
        from: 'grace@partner.example',
        attachments: [
          {
            id: 'AQMkatt1=',
            name: 'plan.txt',
            mime: 'text/plain',
            kind: 'file',
            bytes: Buffer.from('Plan: more lamps'),
          },
          {
            id: 'AQMkatt2=',
            name: 'Older mail',
            mime: 'message/rfc822',
            kind: 'item',
            subject: 'Older mail',
            text: 'as said before',
          },
          { id: 'AQMkatt3=', name: 'big.xlsx', mime: 'application/octet-stream', kind: 'reference' },
        ],
      }),
      message({
        mailbox: `ada@${DOMAIN}`,
        subject: 'Lunch',
        text: 'Lunch on Friday?',
        html: '<html><body><p>Lunch on Friday?</p></body></html>',
        from: `bob@${DOMAIN}`,
        received: '2026-11-03T10:00:00Z',
        read: true,
      }),
      message({ mailbox: `bob@${DOMAIN}`, subject: 'Bob only', text: 'lamps for Bob', from: `ada@${DOMAIN}` }),
    ],
    events: [
      {
        id: newMessageId(),
        mailbox: `ada@${DOMAIN}`,
        subject: 'Lamp review',
        body: 'Look at lamps',
        start: '2026-11-20T09:00:00',
        end: '2026-11-20T10:00:00',
        attendees: [`bob@${DOMAIN}`, 'grace@partner.example'],
        location: 'Room 1',
      },
      {
        id: newMessageId(),
        mailbox: `ada@${DOMAIN}`,
        subject: 'Dinner',
        body: '',
        start: '2026-11-20T18:00:00',
        end: '2026-11-20T20:00:00',
        attendees: [],
        location: '',
      },
      {
        id: newMessageId(),
        mailbox: `bob@${DOMAIN}`,
        subject: "Bob's dentist",
        body: '',
        start: '2026-11-20T11:00:00',
        end: '2026-11-20T12:00:00',
        attendees: [],
        location: '',
      },
    ],
    sent: [],
    invitations: [],
    pageSize: 200,
  };
}
