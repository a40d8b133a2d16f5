import { randomUUID } from 'node:crypto';
import { plainPdf } from './plain-pdf.ts';

export type DocusignUser = {
  account: string;
  id: string;
  name: string;
  email: string;
  /** Of the company's account; others have accounts of their own only. */
  company: boolean;
  admin: boolean;
  status: 'Active' | 'Closed';
  /** Apps that may act for the user (`impersonation`), by their own or their administrator's consent. */
  consents: Set<string>;
};
export type DocusignRecipient = {
  recipientId: string;
  name: string;
  email: string;
  roleName?: string;
  routingOrder: string;
  status: string;
};
export type DocusignEnvelope = {
  id: string;
  sender: string;
  status: string;
  subject: string;
  blurb: string;
  changed: string;
  sent?: string;
  completed?: string;
  voidedReason?: string;
  documents: { id: string; name: string; bytes: Buffer; pages: number }[];
  signers: DocusignRecipient[];
  copies: DocusignRecipient[];
};
export type DocusignTemplate = { id: string; name: string; description: string; roles: string[]; document: string };

export type DocusignWorld = {
  accountId: string;
  users: DocusignUser[];
  envelopes: DocusignEnvelope[];
  templates: DocusignTemplate[];
  /** Who was mailed what. */
  mails: { to: string; subject: string; why: 'sent' | 'voided' }[];
};

/** Acme's account: a contract under way, one that is done, a draft of another user, two templates. */
export function docusignWorld(): DocusignWorld {
  const user = (account: string, name: string, email: string, more: Partial<DocusignUser> = {}): DocusignUser => ({
    account,
    id: randomUUID(),
    name,
    email,
    company: true,
    admin: false,
    status: 'Active',
    consents: new Set(),
    ...more,
  });
  const users = [
    user('ada', 'Ada Lovelace', 'ada@acme.example'),
    user('grace', 'Grace Hopper', 'grace@acme.example'),
    user('robot', 'Gatehouse Robot', 'robot@acme.example', { admin: true }),
    user('closed', 'Charles Babbage', 'charles@acme.example', { status: 'Closed' }),
    user('mallory', 'Mallory', 'mallory@rival.example', { company: false }),
    user('pat', 'Pat', 'ada@acme.example', { company: false }),
  ];
  const signer = (n: number, name: string, email: string, status: string): DocusignRecipient => ({
    recipientId: String(n),
    name,
    email,
    routingOrder: String(n),
    status,
  });
  const envelope = (
    sender: string,
    status: string,
    subject: string,
    day: string,
    text: string,
    signers: DocusignRecipient[],
  ): DocusignEnvelope => ({
    id: randomUUID(),
    sender,
    status,
    subject,
    blurb: `Please sign: ${subject}`,
    changed: `${day}T10:00:00.0000000Z`,
    ...(status === 'created' ? {} : { sent: `${day}T09:00:00.0000000Z` }),
    ...(status === 'completed' ? { completed: `${day}T10:00:00.0000000Z` } : {}),
    documents: [{ id: '1', name: 'contract.pdf', bytes: plainPdf(text), pages: 1 }],
    signers,
    copies: [],
  });
  const recent = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
  return {
    accountId: randomUUID(),
    users,
    envelopes: [
      envelope('ada', 'sent', 'Lease of the lamp factory', recent(2), 'Lease: 12 lamps for 40 crowns', [
        signer(1, 'Zoe Tenant', 'zoe@tenant.example', 'sent'),
      ]),
      envelope('ada', 'completed', 'Non-disclosure agreement', recent(9), 'NDA between Acme and Zoe', [
        signer(1, 'Zoe Tenant', 'zoe@tenant.example', 'completed'),
      ]),
      envelope('grace', 'created', 'Offer to a new hire', recent(3), 'Offer: salary 1000', [
        signer(1, 'Nora New', 'nora@new.example', 'created'),
      ]),
      envelope('ada', 'voided', 'Old lease', recent(400), 'Lease of 1999', [
        signer(1, 'Zoe Tenant', 'zoe@tenant.example', 'sent'),
      ]),
    ],
    templates: [
      { id: randomUUID(), name: 'NDA', description: 'Mutual, two years', roles: ['Partner'], document: 'NDA text' },
      { id: randomUUID(), name: 'Lease', description: 'Lamps', roles: ['Tenant', 'Owner'], document: 'Lease text' },
    ],
    mails: [],
  };
}
