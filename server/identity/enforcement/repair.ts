import type { StageName } from '../sign-in-trace.ts';

/** What an administrator does about a refusal, by its code. Each is one step, and the one that helps most often. */
const byCode: Record<string, string> = {
  'identity/no-account':
    'find the person’s directory entry and compare its externalId with the subject found here (provisioning, diagnostics); or let them link the identity from a session of theirs',
  'identity/no-organization': 'add the person to an organization, or map one of their groups to a role',
  'identity/suspended': 'bring the account back if it was suspended by mistake; the log says who suspended it',
  'identity/passkey-refused':
    'let the person try again; if it stays so, let them sign in another way and add a new passkey',
  'identity/passkey-not-allowed':
    'allow passkeys in every organization of the person, or name the account as break-glass (an owner)',
  'identity/mail-link-not-allowed':
    'allow links by mail in every organization of the person (access), or let them sign in another way',
  'identity/mail-link-used': 'let the person ask for another link; if it was not them who used it, end their sessions',
  'identity/mail-link-expired': 'let the person ask for another link and use it within 15 minutes',
  'identity/mail-link-other-browser': 'let the person open the link in the browser in which they asked for it',
  'identity/address-not-allowed': 'let the person come from an address of the list (access), or add theirs to it',
  'identity/setup-link-used': 'make another set-up link on the machine, if the person still has no other way in',
  'identity/setup-link-expired': 'make another set-up link on the machine, if the person still has no other way in',
  'identity/sso-required':
    'tell the person which connection their organization takes, or let this connection count, too',
  'provisioning/no-mapped-group': 'map one of the groups that were received, or put the person into one that is mapped',
  'provisioning/no-seat': 'free an idle seat or raise the limit',
  'provisioning/removed': 'let the person in again (provisioning, removed) if they are to come back',
  'provisioning/address': 'add the domain of the address to those whose people get an account, or invite the person',
  'provisioning/domain-unverified': 'verify the domain of the address; its page says which record is missing (domains)',
  'identity/client-refused':
    'compare client id and secret with the registration at the identity provider; an expired secret is replaced with PUT …/client-secret',
  'identity/idp-unreachable':
    'check that this server reaches the identity provider’s token endpoint and key set, then let the person try again',
  'identity/bad-signature':
    'check that the connection’s issuer is the right tenant; its key set does not have the signing key',
  'identity/bad-algorithm': 'let the identity provider sign ID tokens with RS256, PS256, ES256 or EdDSA',
  'identity/wrong-issuer': 'enter the issuer exactly as the identity provider states it',
  'identity/wrong-audience': 'compare the client id of the connection with the application at the identity provider',
  'identity/idp-denied': 'assign the person to the application at the identity provider',
  'identity/idp-refused': 'look up the error at the identity provider’s own sign-in log at the time of this attempt',
  'identity/token-expired': 'compare the clocks of the identity provider and of this server',
  'identity/token-not-yet-valid': 'compare the clocks of the identity provider and of this server',
  'identity/issued-in-future': 'compare the clocks of the identity provider and of this server',
  'identity/connection-disabled': 'switch the connection on again',
  'identity/saml-certificate-expired': 'add the identity provider’s present certificate to the connection',
  'identity/saml-signature-invalid':
    'add the certificate that the identity provider signs with now; the one in its metadata may have changed',
  'identity/saml-audience': 'set the audience (entity ID) at the identity provider to the one expected here',
  'identity/saml-destination': 'set the ACS address at the identity provider to the one expected here',
  'identity/saml-recipient': 'set the recipient address at the identity provider to the one expected here',
  'identity/saml-email-missing': 'let the identity provider send the e-mail address as an attribute',
  'identity/saml-groups-overage': 'let the identity provider send only the groups assigned to the application',
  'identity/saml-domain': 'verify the domain of the address, or name it in the connection',
  'identity/saml-replay': 'nothing to repair: the same answer came twice; let the person begin again',
  'identity/saml-not-encrypted':
    'switch on assertion encryption at the identity provider, with our certificate from the metadata',
};

const byStage: Record<StageName, string> = {
  discovery: 'test the connection: its discovery document or metadata is not usable',
  connection: 'look at the connection’s state and settings',
  redirect: 'let the person begin again in one browser that keeps cookies',
  response: 'look at the identity provider’s own log of this attempt',
  token: 'test the connection: client, secret and keys',
  claims: 'compare the claim found with the one expected, and correct it at the identity provider',
  signature: 'compare the certificates of the connection with the ones in the identity provider’s metadata',
  conditions: 'compare addresses and clocks with what is expected, at the identity provider',
  attributes: 'compare the attributes received with the ones expected, at the identity provider',
  domain: 'verify the domain of the address',
  proof: 'let the person begin again',
  access: 'look at how the organizations of the person let people in (access)',
  link: 'compare how the identity provider and the directory name the person',
  provisioning: 'ask provisioning why (people, explain)',
  role: 'look at the mappings of groups to roles',
  seat: 'free a seat or raise the limit',
  enforcement: 'look at what the organization enforces (sso-enforcement)',
  session: 'let the person sign in again',
};

/** The one repair to suggest. */
export const repairFor = (code: string, stage: StageName): string => byCode[code] ?? byStage[stage];
