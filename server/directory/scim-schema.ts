/**
 * What a SCIM resource may say. One definition (RFC 7643 §7) drives parsing, PATCH, filters and the /Schemas answer, so that they cannot
 * disagree. A name that is not here does not exist: it is never stored, and a filter that uses it is refused.
 */
export type AttributeType =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'decimal'
  | 'dateTime'
  | 'reference'
  | 'binary'
  | 'complex';

export type Attribute = {
  readonly name: string;
  readonly says: string;
  readonly type: AttributeType;
  readonly multi: boolean;
  readonly caseExact: boolean;
  readonly required: boolean;
  readonly mutability: 'readWrite' | 'readOnly';
  readonly returned: 'always' | 'default';
  readonly uniqueness: 'none' | 'server';
  readonly references: readonly string[];
  readonly sub: readonly Attribute[];
};

export type Schema = {
  readonly id: string;
  readonly name: string;
  readonly says: string;
  readonly attributes: readonly Attribute[];
};

/** A kind of resource. `top` has every attribute by its name, common ones and extensions (as one complex attribute each) included. */
export type Resource = {
  readonly name: 'User' | 'Group';
  readonly endpoint: '/Users' | '/Groups';
  readonly schema: Schema;
  readonly extensions: readonly Schema[];
  readonly top: readonly Attribute[];
};

/** From the resource down: `[emails]`, `[name, givenName]`, `[enterprise extension, manager, value]`. */
export type Path = readonly [Attribute, ...Attribute[]];

const attribute = (name: string, says: string, over: Partial<Attribute> = {}): Attribute => ({
  name,
  says,
  type: over.sub ? 'complex' : 'string',
  multi: false,
  caseExact: false,
  required: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  references: [],
  sub: [],
  ...over,
});

const readOnly = (a: Attribute): Attribute => ({ ...a, mutability: 'readOnly', sub: a.sub.map(readOnly) });

/** value, type, display, primary: RFC 7643 §2.4. No canonical types are announced or enforced: Entra's validator sends random ones. */
const plural = (name: string, says: string, value: Partial<Attribute> = {}): Attribute =>
  attribute(name, says, {
    multi: true,
    sub: [
      attribute('value', 'The value itself.', value),
      attribute('display', 'How it is shown.'),
      attribute('type', 'What it is for, e.g. work.'),
      attribute('primary', 'Whether it is the preferred one; at most one is.', { type: 'boolean' }),
    ],
  });

const common: readonly Attribute[] = [
  attribute('id', 'Our id of the resource.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  attribute('externalId', "The client's own id of the resource.", { caseExact: true }),
  readOnly(
    attribute('meta', 'Facts about the resource.', {
      sub: [
        attribute('resourceType', 'User or Group.', { caseExact: true }),
        attribute('created', 'When it was added.', { type: 'dateTime' }),
        attribute('lastModified', 'When it last changed.', { type: 'dateTime' }),
        attribute('location', 'Its address.', { type: 'reference', caseExact: true }),
        attribute('version', 'Its ETag.', { caseExact: true }),
      ],
    }),
  ),
];

const User: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  says: 'A person.',
  attributes: [
    attribute('userName', 'Unique in the directory, whatever the case.', { required: true, uniqueness: 'server' }),
    attribute('name', 'The parts of the name.', {
      sub: [
        attribute('formatted', 'The whole name.'),
        attribute('familyName', 'Family name.'),
        attribute('givenName', 'Given name.'),
        attribute('middleName', 'Middle names.'),
        attribute('honorificPrefix', 'Title before the name.'),
        attribute('honorificSuffix', 'Title after the name.'),
      ],
    }),
    attribute('displayName', 'How the person is shown.'),
    attribute('nickName', 'How the person is called.'),
    attribute('profileUrl', 'A page about the person.', {
      type: 'reference',
      caseExact: true,
      references: ['external'],
    }),
    attribute('title', 'Job title.'),
    attribute('userType', 'What the person is to the organization, e.g. Employee.'),
    attribute('preferredLanguage', 'Language, as in Accept-Language.'),
    attribute('locale', 'Formats of dates and numbers, e.g. de-DE.'),
    attribute('timezone', 'Time zone, e.g. Europe/Berlin.'),
    attribute('active', 'Whether the person may use anything at all. False ends every access at once.', {
      type: 'boolean',
    }),
    plural('emails', 'E-mail addresses; the primary one is shown and written to.'),
    plural('phoneNumbers', 'Telephone numbers.'),
    plural('ims', 'Instant messaging addresses.'),
    plural('photos', 'Pictures.', { type: 'reference', caseExact: true, references: ['external'] }),
    attribute('addresses', 'Postal addresses.', {
      multi: true,
      sub: [
        attribute('formatted', 'The whole address.'),
        attribute('streetAddress', 'Street and number.'),
        attribute('locality', 'City.'),
        attribute('region', 'State or region.'),
        attribute('postalCode', 'Postal code.'),
        attribute('country', 'Country, two letters.'),
        attribute('type', 'What it is for, e.g. work.'),
        attribute('primary', 'Whether it is the preferred one.', { type: 'boolean' }),
      ],
    }),
    readOnly(
      attribute('groups', 'The groups that the person is in.', {
        multi: true,
        sub: [
          attribute('value', 'Id of the group.', { caseExact: true }),
          attribute('$ref', 'Address of the group.', { type: 'reference', caseExact: true, references: ['Group'] }),
          attribute('display', 'Name of the group.'),
        ],
      }),
    ),
    plural('entitlements', 'Entitlements.'),
    plural('roles', 'Roles as the directory has them; ours come from mappings.'),
    plural('x509Certificates', 'Certificates.', { type: 'binary', caseExact: true }),
  ],
};

const Enterprise: Schema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  says: 'Where a person stands in an enterprise.',
  attributes: [
    attribute('employeeNumber', 'Number of the employee.'),
    attribute('costCenter', 'Cost center.'),
    attribute('organization', 'Organization.'),
    attribute('division', 'Division.'),
    attribute('department', 'Department.'),
    attribute('manager', 'Who the person reports to.', {
      sub: [
        attribute('value', 'Id of the manager.', { caseExact: true }),
        attribute('$ref', 'Address of the manager.', { type: 'reference', caseExact: true, references: ['User'] }),
        attribute('displayName', "The manager's name."),
      ],
    }),
  ],
};

const Group: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  says: 'A group of people.',
  attributes: [
    attribute('displayName', 'Name, unique in the directory, whatever the case.', {
      required: true,
      uniqueness: 'server',
    }),
    attribute('members', 'Who is in it.', {
      multi: true,
      sub: [
        attribute('value', 'Id of the person.', { caseExact: true }),
        attribute('$ref', 'Address of the person.', { type: 'reference', caseExact: true, references: ['User'] }),
        attribute('display', 'Name of the person.'),
        attribute('type', 'User; groups in groups are not supported.'),
      ],
    }),
  ],
};

/** A resource type put together from its schemas. Exported for tests with a schema of their own. */
export function resource(
  name: 'User' | 'Group',
  endpoint: '/Users' | '/Groups',
  schema: Schema,
  extensions: readonly Schema[],
): Resource {
  const inside = extensions.map((e) => attribute(e.id, e.says, { sub: e.attributes }));
  return { name, endpoint, schema, extensions, top: [...common, ...schema.attributes, ...inside] };
}

/** A schema of an administrator's own attributes. */
export const customSchema = (
  id: string,
  name: string,
  attributes: readonly Pick<Attribute, 'name' | 'says' | 'type' | 'multi' | 'caseExact'>[],
): Schema => ({
  id,
  name,
  says: `Attributes of this directory: ${name}.`,
  attributes: attributes.map(({ name: n, says, ...over }) => attribute(n, says, over)),
});

export const userResource: Resource = resource('User', '/Users', User, [Enterprise]);
export const groupResource: Resource = resource('Group', '/Groups', Group, []);
export const resources: readonly Resource[] = [userResource, groupResource];

const named = (among: readonly Attribute[], name: string): Attribute | undefined => {
  const low = name.toLowerCase();
  return among.find((a) => a.name.toLowerCase() === low);
};

/** `name` or `name.sub` among these attributes, in any case. */
export function findPath(among: readonly Attribute[], text: string): Path | undefined {
  const [first = '', second, ...rest] = text.split('.');
  const top = named(among, first);
  if (!top || rest.length > 0) return undefined;
  if (second === undefined) return [top];
  const sub = named(top.sub, second);
  return sub && [top, sub];
}

/** An attribute of the resource by its name, in any case, with or without the URN of its schema. */
export function findResourcePath(r: Resource, text: string): Path | undefined {
  if (!/^urn:/i.test(text)) return findPath(r.top, text);
  const low = text.toLowerCase();
  const core = `${r.schema.id.toLowerCase()}:`;
  if (low.startsWith(core)) return findPath(r.schema.attributes, text.slice(core.length));
  for (const e of r.extensions) {
    const id = e.id.toLowerCase();
    const top = named(r.top, e.id);
    if (!top) continue;
    if (low === id) return [top];
    const inner = low.startsWith(`${id}:`) ? findPath(e.attributes, text.slice(id.length + 1)) : undefined;
    if (inner) return [top, ...inner];
  }
  return undefined;
}

/** An attribute as /Schemas shows it. */
export function shownAttribute(a: Attribute): Record<string, unknown> {
  return {
    name: a.name,
    type: a.type,
    multiValued: a.multi,
    description: a.says,
    required: a.required,
    ...(a.type === 'complex' ? { subAttributes: a.sub.map(shownAttribute) } : { caseExact: a.caseExact }),
    mutability: a.mutability,
    returned: a.returned,
    uniqueness: a.uniqueness,
    ...(a.references.length > 0 ? { referenceTypes: a.references } : {}),
  };
}
