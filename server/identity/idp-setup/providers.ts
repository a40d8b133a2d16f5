// One long table: what each vendor calls things, for the set-up pages and for docs/guides/idp, which a test compares with it.
import type { Id } from '#kernel/id.ts';
import { acsUrl, entityId, metadataUrl } from '../saml/connection.ts';
import { redirectUri } from '../sso-connection.ts';

/** Values of ours that are pasted at the identity provider. */
export const ours = [
  'redirect_uri',
  'sign_in_url',
  'acs_url',
  'acs_pattern',
  'entity_id',
  'metadata_url',
  'scim_url',
  'scim_token',
] as const;
export type Ours = (typeof ours)[number];

/** What is brought back from there. */
export type Asked = 'issuer' | 'client_id' | 'client_secret' | 'hosted_domains' | 'tenant' | 'metadata';

/** A field of theirs and what goes into it: one of our values, or this text. */
export type Paste = { field: string } & ({ ours: Ours } | { text: string });
/** Where to find what is brought back. `like`: what it looks like. */
export type Bring = { asked: Asked; field: string; like?: string; optional?: true };
/** What we call a fact about a person, and what is put there to send it. */
export type Claim = { name: string; from: string };

export type Way = {
  /** Steps until the fields are in sight. */
  begin: readonly string[];
  paste: readonly Paste[];
  /** Steps afterwards. */
  finish: readonly string[];
  claims: readonly Claim[];
};
export type SignInWay = Way & { bring: readonly Bring[] };

export type Provider = {
  /** Also the name of the guide, docs/guides/idp/<id>.md. */
  id: string;
  name: string;
  oidc: SignInWay;
  saml: SignInWay;
  /** `none`: why it cannot push people and groups, and what to do instead. */
  scim: Way | { none: string; instead: string };
};

/** The values, as they are for one organization. The SCIM ones are known once there is a directory. */
export function ourValues(at: {
  origin: string;
  org: Id<'org'>;
  directory?: Id<'dir'> | undefined;
}): Record<Exclude<Ours, 'scim_token' | 'scim_url'>, string> & { scim_url: string | undefined } {
  const acs = acsUrl(at.origin, at.org);
  return {
    redirect_uri: redirectUri(at.origin),
    sign_in_url: `${at.origin}/sign-in?org=${at.org}`,
    acs_url: acs,
    acs_pattern: `^${acs.replaceAll(/[.?/]/g, String.raw`\$&`)}$`,
    entity_id: entityId(at.origin, at.org),
    metadata_url: metadataUrl(at.origin, at.org),
    scim_url: at.directory && `${at.origin}/scim/v2/${at.directory}`,
  };
}

const EMAIL_ID = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
/** SAML name of the id that SCIM sends as externalId, so that a first sign-in finds the directory's person. */
export const SAME_ID = 'http://schemas.microsoft.com/identity/claims/objectidentifier';

export const providers: readonly Provider[] = [
  {
    id: 'okta',
    name: 'Okta',
    oidc: {
      begin: [
        'In the Okta Admin Console, open Applications > Applications and press Create App Integration.',
        'Choose OIDC - OpenID Connect, then Web Application, then Next. Leave the grant type at Authorization Code.',
      ],
      paste: [{ field: 'Sign-in redirect URIs', ours: 'redirect_uri' }],
      finish: [
        'Under Assignments choose who may use it, and save.',
        'On the tab Sign On, section OpenID Connect ID Token, press Edit: set Issuer to the Okta URL, and Groups claim filter to groups, Matches regex, .*',
      ],
      bring: [
        { asked: 'issuer', field: 'Issuer (tab Sign On)', like: 'https://acme.okta.com' },
        { asked: 'client_id', field: 'Client ID (tab General)', like: '0oa1b2c3d4E5F6g7H8i9' },
        { asked: 'client_secret', field: 'Client Secrets (tab General)' },
      ],
      claims: [
        { name: 'email', from: 'sent with the scope email' },
        { name: 'name', from: 'sent with the scope profile' },
        { name: 'groups', from: 'Groups claim filter: groups, Matches regex, .*' },
      ],
    },
    saml: {
      begin: [
        'In the Okta Admin Console, open Applications > Applications and press Create App Integration.',
        'Choose SAML 2.0, then Next; give it a name, then Next.',
      ],
      paste: [
        { field: 'Single sign-on URL', ours: 'acs_url' },
        { field: 'Audience URI (SP Entity ID)', ours: 'entity_id' },
        { field: 'Name ID format', text: 'EmailAddress' },
        { field: 'Application username', text: 'Email' },
      ],
      finish: [
        'Leave "Use this for Recipient URL and Destination URL" ticked.',
        'Add the attribute statements of the table below, and the group attribute statement groups with Matches regex, .*',
        'Finish, then assign people or groups on the tab Assignments.',
      ],
      bring: [
        {
          asked: 'metadata',
          field: 'Metadata URL (tab Sign On)',
          like: 'https://acme.okta.com/app/exk…/sso/saml/metadata',
        },
      ],
      claims: [
        { name: 'email', from: 'user.email' },
        { name: 'first_name', from: 'user.firstName' },
        { name: 'last_name', from: 'user.lastName' },
        { name: 'department', from: 'user.department' },
        { name: 'groups', from: 'group attribute statement, Matches regex, .*' },
        { name: SAME_ID, from: 'user.id' },
      ],
    },
    scim: {
      begin: [
        'Okta offers SCIM in apps made with SAML 2.0. There: tab General, App Settings, Edit, Provisioning: SCIM, Save.',
        'If you signed in over OpenID Connect, make a second app for this: Browse App Catalog, SCIM 2.0 Test App (OAuth Bearer Token). Its fields are called SCIM 2.0 Base Url and OAuth Bearer Token.',
        'Open the tab Provisioning, Integration, and press Edit.',
      ],
      paste: [
        { field: 'SCIM connector base URL', ours: 'scim_url' },
        { field: 'Unique identifier field for users', text: 'userName' },
        { field: 'Authentication Mode', text: 'HTTP Header' },
        { field: 'Authorization', ours: 'scim_token' },
      ],
      finish: [
        'Tick Import New Users and Profile Updates, Push New Users, Push Profile Updates and Push Groups. Press Test Connector Configuration, then Save.',
        'On Provisioning > To App press Edit and enable Create Users, Update User Attributes and Deactivate Users.',
        'Assign people on the tab Assignments, and groups on the tab Push Groups.',
      ],
      claims: [
        { name: 'userName', from: 'the application username' },
        { name: 'externalId', from: 'the Okta user id, by itself' },
        { name: 'emails', from: 'the primary e-mail, by itself' },
      ],
    },
  },
  {
    id: 'entra-id',
    name: 'Microsoft Entra ID',
    oidc: {
      begin: [
        'In the Microsoft Entra admin center, open Entra ID > App registrations and press New registration.',
        'Supported account types: accounts in this organizational directory only (single tenant).',
      ],
      paste: [{ field: 'Redirect URI, platform Web', ours: 'redirect_uri' }],
      finish: [
        'Press Register. Under Certificates & secrets press New client secret, and copy its Value at once: it is shown this one time.',
        'Under Token configuration press Add optional claim, ID, email; then Add groups claim, Groups assigned to the application, ID: Group ID.',
      ],
      bring: [
        {
          asked: 'issuer',
          field: 'Directory (tenant) ID (Overview), in this address',
          like: 'https://login.microsoftonline.com/{Directory (tenant) ID}/v2.0',
        },
        { asked: 'client_id', field: 'Application (client) ID (Overview)' },
        { asked: 'client_secret', field: 'Value of the client secret (Certificates & secrets), not its Secret ID' },
        {
          asked: 'tenant',
          field: 'Directory (tenant) ID (Overview), where the issuer has common or organizations in its place',
          like: '00000000-1111-2222-3333-444444444444',
          optional: true,
        },
      ],
      claims: [
        { name: 'email', from: 'optional claim email, token type ID' },
        { name: 'name', from: 'sent with the scope profile' },
        { name: 'oid', from: 'sent with the scope profile; the same as externalId' },
        { name: 'groups', from: 'groups claim, Groups assigned to the application' },
      ],
    },
    saml: {
      begin: [
        'In the Microsoft Entra admin center, open Entra ID > Enterprise apps and press New application, Create your own application.',
        'Choose "Integrate any other application you don\'t find in the gallery (Non-gallery)", name it, press Create.',
        'Open Single sign-on, SAML, and edit Basic SAML Configuration.',
      ],
      paste: [
        { field: 'Identifier (Entity ID)', ours: 'entity_id' },
        { field: 'Reply URL (Assertion Consumer Service URL)', ours: 'acs_url' },
        { field: 'Sign on URL', ours: 'sign_in_url' },
      ],
      finish: [
        'Under Attributes & Claims keep what is there, and press Add a group claim: Groups assigned to the application.',
        'Assign people and groups under Users and groups.',
      ],
      bring: [
        {
          asked: 'metadata',
          field: 'App Federation Metadata Url (SAML Certificates)',
          like: 'https://login.microsoftonline.com/…/federationmetadata/2007-06/federationmetadata.xml?appid=…',
        },
      ],
      claims: [
        { name: 'email', from: 'user.mail (…/claims/emailaddress)' },
        { name: 'first_name', from: 'user.givenname (…/claims/givenname)' },
        { name: 'last_name', from: 'user.surname (…/claims/surname)' },
        { name: 'department', from: 'user.department, added by you as department' },
        { name: 'groups', from: 'group claim, Groups assigned to the application' },
        { name: SAME_ID, from: 'sent by itself' },
      ],
    },
    scim: {
      begin: [
        'Open Entra ID > Enterprise apps and the application; for sign-in over OpenID Connect make a non-gallery application for this.',
        'Open Provisioning and press New configuration.',
      ],
      paste: [
        { field: 'Tenant URL', ours: 'scim_url' },
        { field: 'Secret token', ours: 'scim_token' },
      ],
      finish: [
        'Press Test connection, then Create.',
        'Under Attribute mapping of users, map objectId to externalId (it is mailNickname at first), and the address that people sign in with to userName.',
        'Assign people and groups under Users and groups, then press Start provisioning. A cycle comes every 40 minutes; Provision on demand does one person now.',
      ],
      claims: [
        { name: 'userName', from: 'userPrincipalName, or mail where the two differ' },
        { name: 'externalId', from: 'objectId, in the place of mailNickname' },
        { name: 'emails', from: 'mail' },
      ],
    },
  },
  {
    id: 'google-workspace',
    name: 'Google Workspace',
    oidc: {
      begin: [
        'In the Google Cloud console, choose a project of your organization and open Google Auth Platform.',
        'Under Audience the user type must be Internal: otherwise every Google account gets as far as our door.',
        'Under Clients press Create client, application type Web application.',
      ],
      paste: [{ field: 'Authorized redirect URIs', ours: 'redirect_uri' }],
      finish: ['Press Create, and copy the secret now: Google shows it this one time.'],
      bring: [
        { asked: 'issuer', field: 'the same for everybody', like: 'https://accounts.google.com' },
        { asked: 'client_id', field: 'Client ID', like: '1234567890-abc….apps.googleusercontent.com' },
        { asked: 'client_secret', field: 'Client secret' },
        {
          asked: 'hosted_domains',
          field: 'the domains whose people may come in (Account > Domains > Manage domains in the Admin console)',
          like: 'acme.example, acme.co.example',
        },
      ],
      claims: [
        { name: 'email', from: 'sent with the scope email' },
        { name: 'name', from: 'sent with the scope profile' },
        { name: 'groups', from: 'not possible over OpenID Connect; use SAML for groups' },
      ],
    },
    saml: {
      begin: [
        'In the Google Admin console, open Apps > Web and mobile apps and press Add app, Add custom SAML app.',
        'Name it, press Continue. On Google Identity Provider details press Download metadata: you bring this file back. Press Continue.',
      ],
      paste: [
        { field: 'ACS URL', ours: 'acs_url' },
        { field: 'Entity ID', ours: 'entity_id' },
        { field: 'Name ID format', text: 'EMAIL' },
        { field: 'Name ID', text: 'Basic Information > Primary email' },
      ],
      finish: [
        'Map the attributes of the table below. Under Group membership (optional) name up to 75 groups, with the app attribute groups.',
        'Press Finish, then User access, and switch it on for the people who may use it. Google needs some minutes, sometimes a day.',
      ],
      bring: [
        {
          asked: 'metadata',
          field: 'Download metadata (Google Identity Provider details), the file GoogleIDPMetadata.xml',
        },
      ],
      claims: [
        { name: 'email', from: 'Basic Information > Primary email' },
        { name: 'first_name', from: 'Basic Information > First name' },
        { name: 'last_name', from: 'Basic Information > Last name' },
        { name: 'department', from: 'Employee Details > Department' },
        { name: 'groups', from: 'Group membership (optional)' },
      ],
    },
    scim: {
      none: 'Google Workspace pushes people only to the applications of its own catalogue, not to one that you add yourself.',
      instead:
        'Let people in at their first sign-in (a mode that begins with jit), with the groups that SAML sends, and suspend leavers here when they are suspended there.',
    },
  },
  {
    id: 'onelogin',
    name: 'OneLogin',
    oidc: {
      begin: [
        'In OneLogin Administration, open Applications > Applications and press Add App.',
        'Search for OpenId Connect (OIDC), choose it, name it and save.',
        'Open the tab Configuration.',
      ],
      paste: [
        { field: "Redirect URI's", ours: 'redirect_uri' },
        { field: 'Login Url', ours: 'sign_in_url' },
      ],
      finish: [
        'On the tab SSO set Application Type to Web and, under Token Endpoint, Authentication Method to Basic.',
        'On the tab Parameters open Groups: choose User Roles and, below it, Semicolon Delimited input (Multi-value output). Give people access by a role on the tab Access.',
      ],
      bring: [
        { asked: 'issuer', field: 'Issuer URL (tab SSO)', like: 'https://acme.onelogin.com/oidc/2' },
        { asked: 'client_id', field: 'Client ID (tab SSO)' },
        { asked: 'client_secret', field: 'Client Secret (tab SSO)' },
      ],
      claims: [
        { name: 'email', from: 'sent with the scope email' },
        { name: 'name', from: 'sent with the scope profile' },
        { name: 'groups', from: 'Parameters > Groups' },
      ],
    },
    saml: {
      begin: [
        'In OneLogin Administration, open Applications > Applications and press Add App.',
        'Search for SAML Custom Connector (Advanced), choose it, name it and save. Open the tab Configuration.',
        'If people are to be pushed as well, take SCIM Provisioner with SAML (SCIM v2 Enterprise) instead: one application does both. Its fields are called SAML Audience URL and SAML Consumer URL.',
      ],
      paste: [
        { field: 'Audience (EntityID)', ours: 'entity_id' },
        { field: 'Recipient', ours: 'acs_url' },
        { field: 'ACS (Consumer) URL Validator', ours: 'acs_pattern' },
        { field: 'ACS (Consumer) URL', ours: 'acs_url' },
        { field: 'Login URL', ours: 'sign_in_url' },
        { field: 'SAML initiator', text: 'Service Provider' },
        { field: 'SAML nameID format', text: 'Email' },
      ],
      finish: [
        'On the tab SSO set SAML Signature Algorithm to SHA-256.',
        'On the tab Parameters add the fields of the table below, each with Include in SAML assertion. Give people access by a role on the tab Access.',
      ],
      bring: [{ asked: 'metadata', field: 'More Actions > SAML Metadata, a file' }],
      claims: [
        { name: 'email', from: 'Email' },
        { name: 'first_name', from: 'First Name' },
        { name: 'last_name', from: 'Last Name' },
        { name: 'department', from: 'Department' },
        { name: 'groups', from: 'User Roles, as a multi-value parameter' },
      ],
    },
    scim: {
      begin: [
        'Open the application SCIM Provisioner with SAML (SCIM v2 Enterprise), or add it: Applications > Applications, Add App.',
        'Open the tab Configuration.',
      ],
      paste: [
        { field: 'SCIM Base URL', ours: 'scim_url' },
        { field: 'SCIM Bearer Token', ours: 'scim_token' },
      ],
      finish: [
        'Press Enable under API Connection, then Save.',
        'On the tab Provisioning tick Enable provisioning; clear the approvals that you do not want to give by hand.',
        'On the tab Parameters tick Include in User Provisioning for Groups. On the tab Rules press Add Rule, leave Conditions empty, and under Actions choose Set Groups in this application, Map from OneLogin, For each role with value that matches .*',
      ],
      claims: [
        { name: 'userName', from: 'SCIM Username: Email' },
        { name: 'externalId', from: 'put "externalId": "{$user.id}" into the SCIM JSON Template' },
        { name: 'emails', from: '{$user.email} in the SCIM JSON Template' },
      ],
    },
  },
  {
    id: 'jumpcloud',
    name: 'JumpCloud',
    oidc: {
      begin: [
        'In the JumpCloud Admin Portal, open SSO Applications and press Add New Application.',
        'Choose Custom Application, Next, Manage Single Sign-On (SSO), Configure SSO with OIDC, Next; name it, save, Configure Application.',
      ],
      paste: [
        { field: 'Redirect URIs', ours: 'redirect_uri' },
        { field: 'Client Authentication Type', text: 'Client Secret Basic' },
        { field: 'Login URL', ours: 'sign_in_url' },
      ],
      finish: [
        'Under Attribute Mapping tick the standard scopes Email and Profile, and tick include group attribute with the name groups.',
        'Press Activate, and copy Client ID and Client Secret now: the secret is shown this one time. Then choose the groups on the tab User Groups.',
      ],
      bring: [
        { asked: 'issuer', field: 'the same for everybody', like: 'https://oauth.id.jumpcloud.com/' },
        { asked: 'client_id', field: 'Client ID' },
        { asked: 'client_secret', field: 'Client Secret' },
      ],
      claims: [
        { name: 'email', from: 'standard scope Email' },
        { name: 'name', from: 'standard scope Profile' },
        { name: 'groups', from: 'include group attribute, named groups' },
      ],
    },
    saml: {
      begin: [
        'In the JumpCloud Admin Portal, open SSO Applications and press Add New Application.',
        'Choose Custom Application, Next, Manage Single Sign-On (SSO), Configure SSO with SAML, Next; name it, save, Configure Application, tab SSO.',
      ],
      paste: [
        { field: 'IdP Entity ID', text: 'any name of your own that no other application of yours has' },
        { field: 'SP Entity ID', ours: 'entity_id' },
        { field: 'ACS URL', ours: 'acs_url' },
        { field: 'SAMLSubject NameID', text: 'email' },
        { field: 'SAMLSubject NameID Format', text: EMAIL_ID },
        { field: 'Signature Algorithm', text: 'RSA-SHA256' },
        { field: 'Login URL', ours: 'sign_in_url' },
      ],
      finish: [
        'Tick Sign Assertion. Add the attributes of the table below; tick include group attribute with the name groups.',
        'Save, choose the groups on the tab User Groups, and open the application again: its metadata exists only now.',
      ],
      bring: [{ asked: 'metadata', field: 'Export Metadata (tab SSO), a file' }],
      claims: [
        { name: 'email', from: 'email' },
        { name: 'first_name', from: 'firstname' },
        { name: 'last_name', from: 'lastname' },
        { name: 'department', from: 'department' },
        { name: 'groups', from: 'include group attribute, named groups' },
      ],
    },
    scim: {
      begin: ['Open the application in SSO Applications and its tab Identity Management; choose SCIM 2.0.'],
      paste: [
        { field: 'Base URL', ours: 'scim_url' },
        { field: 'Token Key', ours: 'scim_token' },
      ],
      finish: [
        'Test User Email takes an address that nobody here has: JumpCloud makes that person and deletes them again.',
        'Press Test Connection, then Activate, then Save. Choose the groups on the tab User Groups.',
      ],
      claims: [
        { name: 'userName', from: 'email' },
        { name: 'externalId', from: 'the JumpCloud user id, by itself' },
        { name: 'emails', from: 'email' },
      ],
    },
  },
  {
    id: 'ping',
    name: 'PingOne',
    oidc: {
      begin: [
        'In the PingOne admin console, open Applications > Applications and press the plus sign.',
        'Name it, choose OIDC Web App, Save. Open the tab Configuration and press the pencil.',
      ],
      paste: [
        { field: 'Redirect URIs', ours: 'redirect_uri' },
        { field: 'Token Endpoint Authentication Method', text: 'Client Secret Basic' },
      ],
      finish: [
        'On the tab Resources allow the scopes email and profile. On the tab Attribute Mappings add groups = Group Names.',
        'Switch the application on with the toggle at the top right.',
      ],
      bring: [
        {
          asked: 'issuer',
          field: 'Issuer ID (tab Configuration, URLs)',
          like: 'https://auth.pingone.eu/{environment id}/as',
        },
        { asked: 'client_id', field: 'Client ID' },
        { asked: 'client_secret', field: 'Client Secret' },
      ],
      claims: [
        { name: 'email', from: 'Email Address, scope email' },
        { name: 'name', from: 'Formatted, scope profile' },
        { name: 'groups', from: 'Group Names' },
      ],
    },
    saml: {
      begin: [
        'In the PingOne admin console, open Applications > Applications and press the plus sign.',
        'Name it, choose SAML Application, Configure, Manually Enter.',
      ],
      paste: [
        { field: 'ACS URLs', ours: 'acs_url' },
        { field: 'Entity ID', ours: 'entity_id' },
        { field: 'Subject NameID Format', text: EMAIL_ID },
      ],
      finish: [
        'On the tab Attribute Mappings set saml_subject to Email Address and add the attributes of the table below.',
        'Switch the application on with the toggle at the top right.',
      ],
      bring: [
        {
          asked: 'metadata',
          field: 'IDP Metadata URL (tab Configuration)',
          like: 'https://auth.pingone.eu/{environment id}/saml20/metadata/…',
        },
      ],
      claims: [
        { name: 'email', from: 'Email Address' },
        { name: 'first_name', from: 'Given Name' },
        { name: 'last_name', from: 'Family Name' },
        { name: 'groups', from: 'Group Names' },
      ],
    },
    scim: {
      begin: [
        'Open Integrations > Provisioning, press the plus sign, New Connection, and choose Identity Store.',
        'Choose SCIM Outbound, name it, Next.',
      ],
      paste: [
        { field: 'SCIM Base URL', ours: 'scim_url' },
        { field: 'Users Resource', text: '/Users' },
        { field: 'Groups Resource', text: '/Groups' },
        { field: 'SCIM Version', text: '2.0' },
        { field: 'Authentication Method', text: 'OAuth 2 Bearer Token' },
        { field: 'OAuth Access Token', ours: 'scim_token' },
        { field: 'Auth Type Header', text: 'Bearer' },
      ],
      finish: [
        'Press Test Connection, save, and switch the connection on.',
        'Under Provisioning press the plus sign, New Rule; choose the connection, a User Filter and, for groups, Group Provisioning. Map User ID to externalId. Switch the rule on.',
      ],
      claims: [
        { name: 'userName', from: 'Username, or Email Address where the two differ' },
        { name: 'externalId', from: 'User ID' },
        { name: 'emails', from: 'Email Address' },
      ],
    },
  },
  {
    id: 'keycloak',
    name: 'Keycloak',
    oidc: {
      begin: [
        'In the Keycloak admin console, choose the realm, open Clients and press Create client.',
        'Client type: OpenID Connect; Client ID: a name of your own, for example gatehouse. Next. Client authentication: On; leave Standard flow ticked. Next.',
      ],
      paste: [{ field: 'Valid redirect URIs', ours: 'redirect_uri' }],
      finish: [
        'Save. On the tab Client scopes open the one that ends in -dedicated, press Configure a new mapper, Group Membership: Token Claim Name groups, Full group path Off, Add to ID token On.',
      ],
      bring: [
        {
          asked: 'issuer',
          field: 'issuer in Realm settings > OpenID Endpoint Configuration',
          like: 'https://id.acme.example/realms/{realm}',
        },
        { asked: 'client_id', field: 'Client ID (tab Settings)', like: 'gatehouse' },
        { asked: 'client_secret', field: 'Client Secret (tab Credentials)' },
      ],
      claims: [
        { name: 'email', from: 'client scope email' },
        { name: 'name', from: 'client scope profile' },
        { name: 'groups', from: 'mapper Group Membership, Token Claim Name groups' },
      ],
    },
    saml: {
      begin: [
        'In the Keycloak admin console, choose the realm, open Clients and press Create client.',
        'Client type: SAML. Import client takes our metadata file instead, and fills in all of this.',
      ],
      paste: [
        { field: 'Client ID', ours: 'entity_id' },
        { field: 'Valid redirect URIs', ours: 'acs_url' },
        { field: 'Master SAML Processing URL', ours: 'acs_url' },
        { field: 'Name ID format', text: 'email' },
      ],
      finish: [
        'Switch on Force name ID format and Sign assertions; Signature algorithm: RSA_SHA256.',
        'On the tab Keys, Client signature required needs our certificate: press Import key and take it from our metadata, or switch it off.',
        'On the tab Client scopes open the one that ends in -dedicated and add a mapper User Property or User Attribute for each line of the table below, and Group list for groups with Single Group Attribute On and Full group path Off.',
      ],
      bring: [
        {
          asked: 'metadata',
          field: 'Realm settings > SAML 2.0 Identity Provider Metadata',
          like: 'https://id.acme.example/realms/{realm}/protocol/saml/descriptor',
        },
      ],
      claims: [
        { name: 'email', from: 'User Property email' },
        { name: 'first_name', from: 'User Property firstName' },
        { name: 'last_name', from: 'User Property lastName' },
        { name: 'department', from: 'User Attribute department' },
        { name: 'groups', from: 'mapper Group list, Group attribute name groups' },
      ],
    },
    scim: {
      none: 'Keycloak by itself pushes nobody: its own SCIM API is for others to push into it. An extension that you install can push.',
      instead:
        'Without one, let people in at their first sign-in (a mode that begins with jit) with the groups of the token. With one, take the guide for another identity provider: it needs a SCIM base URL and a bearer token.',
    },
  },
  {
    id: 'generic',
    name: 'Another identity provider',
    oidc: {
      begin: ['Register a web application (confidential client) with the authorization code flow.'],
      paste: [
        { field: 'Redirect URI', ours: 'redirect_uri' },
        { field: 'Initiate login URI', ours: 'sign_in_url' },
        { field: 'Scopes', text: 'openid profile email' },
        { field: 'PKCE', text: 'S256' },
      ],
      finish: [
        'ID tokens must be signed with RS256, PS256, ES256 or EdDSA, and the token endpoint must take client_secret_basic or client_secret_post.',
        'Put e-mail, name and groups into the ID token: we do not ask the userinfo endpoint.',
      ],
      bring: [
        { asked: 'issuer', field: 'issuer, as in /.well-known/openid-configuration', like: 'https://id.acme.example' },
        { asked: 'client_id', field: 'client_id' },
        { asked: 'client_secret', field: 'client_secret' },
      ],
      claims: [
        { name: 'email', from: 'email; not with email_verified false' },
        { name: 'name', from: 'name, or given_name and family_name' },
        { name: 'groups', from: 'groups, a list of names or ids' },
        { name: 'department', from: 'department' },
      ],
    },
    saml: {
      begin: [
        'Register a SAML 2.0 service provider. If it takes metadata, give it ours; otherwise enter these by hand.',
      ],
      paste: [
        { field: 'Service provider metadata', ours: 'metadata_url' },
        { field: 'Assertion consumer service (ACS) URL, HTTP-POST', ours: 'acs_url' },
        { field: 'SP entity ID, audience', ours: 'entity_id' },
        { field: 'NameID format', text: EMAIL_ID },
      ],
      finish: [
        'Assertions must be signed, with SHA-256 or better. Encryption is welcome: our certificate is in our metadata.',
        'Send the attributes of the table below.',
      ],
      bring: [{ asked: 'metadata', field: 'metadata URL, or its XML', like: 'https://id.acme.example/saml/metadata' }],
      claims: [
        { name: 'email', from: 'the e-mail address; required' },
        { name: 'first_name', from: 'given name' },
        { name: 'last_name', from: 'family name' },
        { name: 'department', from: 'department' },
        { name: 'manager_email', from: 'e-mail address of the manager' },
        { name: 'groups', from: 'one value for each group' },
        { name: SAME_ID, from: 'the id that SCIM sends as externalId' },
      ],
    },
    scim: {
      begin: ['Add a SCIM 2.0 target with a bearer token.'],
      paste: [
        { field: 'SCIM base URL', ours: 'scim_url' },
        { field: 'Bearer token', ours: 'scim_token' },
      ],
      finish: [
        'Users and Groups are there, with filter, PATCH, Bulk and ETag; /ServiceProviderConfig says what exactly.',
        'Send the id that sign-in uses as subject in externalId: a first sign-in finds the person by it.',
      ],
      claims: [
        { name: 'userName', from: 'what people sign in with, best the e-mail address' },
        { name: 'externalId', from: 'the subject of the ID token, or the SAML attribute above' },
        { name: 'emails', from: 'one with primary true' },
      ],
    },
  },
];

export const findProvider = (id: string | null): Provider | undefined => providers.find((p) => p.id === id);
