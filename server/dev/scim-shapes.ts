/** Requests as vendors send them (their public documentation and validators), for tests and the stand-in IdP. */
let count = 0;

/** Okta creates with a placeholder password, empty groups and a locale. */
export const oktaCreate = (userName: string): Record<string, unknown> => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName,
  name: { givenName: 'Some', familyName: 'Person' },
  emails: [{ primary: true, value: userName, type: 'work' }],
  displayName: 'Some Person',
  locale: 'en-US',
  externalId: `okta-${++count}`,
  groups: [],
  password: 'placeholder',
  active: true,
});

/** Entra lists the enterprise extension without sending it, and sends an empty list of roles. */
export const entraCreate = (userName: string): Record<string, unknown> => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'],
  externalId: `entra-${++count}`,
  userName,
  active: true,
  displayName: 'Some Person',
  emails: [{ primary: true, type: 'work', value: userName }],
  meta: { resourceType: 'User' },
  name: { formatted: 'Some Person', familyName: 'Person', givenName: 'Some' },
  roles: [],
});

/** Entra creates groups with a schema of its own. */
export const entraGroup = (displayName: string): Record<string, unknown> => ({
  schemas: [
    'urn:ietf:params:scim:schemas:core:2.0:Group',
    'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group',
  ],
  externalId: `entra-group-${++count}`,
  displayName,
  meta: { resourceType: 'Group' },
});

/** The envelope of a PATCH. */
export const patch = (...ops: unknown[]): Record<string, unknown> => ({
  schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
  Operations: ops,
});
