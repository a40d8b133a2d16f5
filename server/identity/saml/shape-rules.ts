// Every element that a message may have, and what may be in it (saml-core, xmldsig-core, xmlenc-core; less than those allow).
import type { SamlCode } from './refuse.ts';

/** Children in order: a name or names, then nothing (once), `?` (at most once) or `*`. */
export type Rule = {
  must?: readonly string[];
  may?: readonly string[];
  /** Attributes of foreign namespaces may be there, too (xsi:type, what ADFS adds). */
  foreign?: true;
  children?: readonly string[];
  /** Text and nothing else, unless children are named. */
  text?: true;
  /** Anything but what SAML and its signatures are made of; nobody reads it. */
  opaque?: true;
  /** A child that is not named gets this code. */
  unknown?: SamlCode;
};

const message = { must: ['ID', 'Version', 'IssueInstant'] } as const;
const name: Rule = { may: ['Format', 'NameQualifier', 'SPNameQualifier', 'SPProvidedID'], text: true };
const algorithm: Rule = { must: ['Algorithm'], children: ['ec:InclusiveNamespaces?'] };

export const rules: Readonly<Record<string, Rule>> = {
  'samlp:Response': {
    ...message,
    may: ['Destination', 'InResponseTo', 'Consent'],
    children: [
      'saml:Issuer?',
      'ds:Signature?',
      'samlp:Extensions?',
      'samlp:Status',
      'saml:Assertion|saml:EncryptedAssertion?',
    ],
  },
  'samlp:LogoutRequest': {
    ...message,
    may: ['Destination', 'NotOnOrAfter', 'Reason', 'Consent'],
    children: ['saml:Issuer', 'ds:Signature?', 'samlp:Extensions?', 'saml:NameID', 'samlp:SessionIndex*'],
  },
  'samlp:LogoutResponse': {
    ...message,
    may: ['Destination', 'InResponseTo', 'Consent'],
    children: ['saml:Issuer', 'ds:Signature?', 'samlp:Extensions?', 'samlp:Status'],
  },
  'samlp:SessionIndex': { text: true },
  'samlp:Extensions': { opaque: true },
  'samlp:Status': { children: ['samlp:StatusCode', 'samlp:StatusMessage?', 'samlp:StatusDetail?'] },
  'samlp:StatusCode': { must: ['Value'], children: ['samlp:StatusCode?'] },
  'samlp:StatusMessage': { text: true },
  'samlp:StatusDetail': { opaque: true },
  'saml:Assertion': {
    ...message,
    children: [
      'saml:Issuer',
      'ds:Signature?',
      'saml:Subject?',
      'saml:Conditions?',
      'saml:AuthnStatement|saml:AttributeStatement*',
    ],
  },
  'saml:Issuer': name,
  'saml:NameID': name,
  'saml:Subject': { children: ['saml:NameID?', 'saml:SubjectConfirmation*'] },
  'saml:SubjectConfirmation': { must: ['Method'], children: ['saml:NameID?', 'saml:SubjectConfirmationData?'] },
  'saml:SubjectConfirmationData': {
    may: ['NotBefore', 'NotOnOrAfter', 'Recipient', 'InResponseTo', 'Address'],
    foreign: true,
  },
  'saml:Conditions': {
    may: ['NotBefore', 'NotOnOrAfter'],
    children: ['saml:AudienceRestriction|saml:OneTimeUse|saml:ProxyRestriction*'],
    unknown: 'identity/saml-unknown-condition',
  },
  'saml:AudienceRestriction': { children: ['saml:Audience*'] },
  'saml:Audience': { text: true },
  'saml:OneTimeUse': {},
  'saml:ProxyRestriction': { may: ['Count'], children: ['saml:Audience*'] },
  'saml:AuthnStatement': {
    must: ['AuthnInstant'],
    may: ['SessionIndex', 'SessionNotOnOrAfter'],
    children: ['saml:SubjectLocality?', 'saml:AuthnContext'],
  },
  'saml:SubjectLocality': { may: ['Address', 'DNSName'] },
  'saml:AuthnContext': {
    children: ['saml:AuthnContextClassRef|saml:AuthnContextDeclRef|saml:AuthenticatingAuthority*'],
  },
  'saml:AuthnContextClassRef': { text: true },
  'saml:AuthnContextDeclRef': { text: true },
  'saml:AuthenticatingAuthority': { text: true },
  'saml:AttributeStatement': { children: ['saml:Attribute*'] },
  'saml:Attribute': {
    must: ['Name'],
    may: ['NameFormat', 'FriendlyName'],
    foreign: true,
    children: ['saml:AttributeValue*'],
  },
  // eduPersonTargetedID has a NameID inside.
  'saml:AttributeValue': { foreign: true, text: true, children: ['saml:NameID?'] },
  'saml:EncryptedAssertion': { children: ['xenc:EncryptedData', 'xenc:EncryptedKey*'] },
  'ds:Signature': { may: ['Id'], children: ['ds:SignedInfo', 'ds:SignatureValue', 'ds:KeyInfo?'] },
  'ds:SignedInfo': { may: ['Id'], children: ['ds:CanonicalizationMethod', 'ds:SignatureMethod', 'ds:Reference'] },
  'ds:CanonicalizationMethod': algorithm,
  'ds:SignatureMethod': { must: ['Algorithm'] },
  'ds:Reference': {
    must: ['URI'],
    may: ['Id', 'Type'],
    children: ['ds:Transforms', 'ds:DigestMethod', 'ds:DigestValue'],
  },
  'ds:Transforms': { children: ['ds:Transform*'] },
  'ds:Transform': algorithm,
  'ds:DigestMethod': { must: ['Algorithm'] },
  'ds:DigestValue': { text: true },
  'ds:SignatureValue': { may: ['Id'], text: true },
  'ds:KeyInfo': { may: ['Id'], opaque: true },
  'ec:InclusiveNamespaces': { may: ['PrefixList'] },
  'xenc:EncryptedData': {
    may: ['Id', 'Type', 'MimeType', 'Encoding'],
    children: ['xenc:EncryptionMethod', 'ds:KeyInfo?', 'xenc:CipherData'],
  },
  'xenc:EncryptedKey': {
    may: ['Id', 'Type', 'MimeType', 'Encoding', 'Recipient'],
    children: [
      'xenc:EncryptionMethod',
      'ds:KeyInfo?',
      'xenc:CipherData',
      'xenc:ReferenceList?',
      'xenc:CarriedKeyName?',
    ],
  },
  'xenc:EncryptionMethod': {
    must: ['Algorithm'],
    children: ['xenc:KeySize|xenc:OAEPparams|ds:DigestMethod|xenc11:MGF*'],
  },
  'xenc:KeySize': { text: true },
  'xenc:OAEPparams': { text: true },
  'xenc11:MGF': { must: ['Algorithm'] },
  'xenc:CipherData': { children: ['xenc:CipherValue'] },
  'xenc:CipherValue': { text: true },
  'xenc:ReferenceList': { opaque: true },
  'xenc:CarriedKeyName': { text: true },
};

type Expected = { names: readonly string[]; min: number; max: number };
/** The rule's lines, read once. */
export const sequences = new Map<string, readonly Expected[]>(
  Object.entries(rules).map(([of, r]) => [
    of,
    (r.children ?? []).map((line) => {
      const many = line.endsWith('*');
      const optional = line.endsWith('?');
      const names = (many || optional ? line.slice(0, -1) : line).split('|');
      return { names, min: many || optional ? 0 : 1, max: many ? Infinity : 1 };
    }),
  ]),
);
