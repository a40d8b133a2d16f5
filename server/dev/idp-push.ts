import { displayName, type Person } from './people.ts';

/** The two providers whose dialects of SCIM differ most. */
export type Pusher = 'okta' | 'entra';

export type Pushed = {
  /** SCIM id of each person, by their `sub`. */
  users: ReadonlyMap<string, string>;
  /** SCIM id of each group, by its name. */
  groups: ReadonlyMap<string, string>;
};

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User';
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User';
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group';
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp';

type Json = Record<string, unknown>;

/** One request as this provider sends it; anything but success is thrown with the server's words. */
async function send(base: string, token: string, as: Pusher, method: string, path: string, body?: Json): Promise<Json> {
  const answer = await fetch(`${base.replace(/\/$/, '')}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/scim+json',
      'user-agent': as === 'okta' ? 'OKTA SCIM Integration' : 'AzureAD-Provisioning',
      // Okta names the type on every request, with or without a body.
      ...(as === 'okta' ? { 'accept-charset': 'utf-8', 'content-type': 'application/scim+json; charset=utf-8' } : {}),
      ...(as === 'entra' && body ? { 'content-type': 'application/scim+json' } : {}),
    },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`SCIM ${method} ${path} was answered ${answer.status}: ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Json);
}

const firstId = (list: Json): string | undefined => {
  const first: unknown = Array.isArray(list['Resources']) ? list['Resources'][0] : undefined;
  return typeof first === 'object' && first !== null && 'id' in first && typeof first.id === 'string'
    ? first.id
    : undefined;
};

const idOf = (resource: Json): string => {
  if (typeof resource['id'] !== 'string') throw new Error(`a SCIM resource without an id: ${JSON.stringify(resource)}`);
  return resource['id'];
};

const newUser = (as: Pusher, p: Person): Json =>
  as === 'okta'
    ? {
        schemas: [USER],
        userName: p.email,
        name: { givenName: p.given, familyName: p.family },
        emails: [{ primary: true, value: p.email, type: 'work' }],
        displayName: displayName(p),
        locale: 'en-US',
        externalId: p.sub,
        groups: [],
        password: 'aPlaceholder-1',
        active: true,
        [ENTERPRISE]: { department: p.department },
      }
    : {
        schemas: [USER, ENTERPRISE],
        externalId: p.sub,
        userName: p.email,
        active: true,
        displayName: displayName(p),
        emails: [{ primary: true, type: 'work', value: p.email }],
        meta: { resourceType: 'User' },
        name: { formatted: displayName(p), familyName: p.family, givenName: p.given },
        roles: [],
        [ENTERPRISE]: { department: p.department },
      };

/** What a provider does before all else when an administrator presses "test". */
export async function testConnection(base: string, token: string, as: Pusher = 'okta'): Promise<void> {
  if (as === 'okta') {
    await send(base, token, as, 'GET', '/Users?startIndex=1&count=2');
    await send(base, token, as, 'GET', '/Groups?startIndex=1&count=100');
  } else {
    const nobody = encodeURIComponent('userName eq "5f1c7a1e-0000-4000-8000-9d2f6d1b6a11"');
    await send(base, token, as, 'GET', `/Users?filter=${nobody}`);
  }
}

/** Pushes people, then the named groups with those of their members among the people, in the order and shapes of a first synchronisation. Safe to repeat. */
export async function pushPeople(
  base: string,
  token: string,
  people: readonly Person[],
  groups: readonly string[],
  as: Pusher = 'okta',
): Promise<Pushed> {
  const users = new Map<string, string>();
  for (const p of people) {
    const found = await send(base, token, as, 'GET', `/Users?filter=${encodeURIComponent(`userName eq "${p.email}"`)}`);
    users.set(p.sub, firstId(found) ?? idOf(await send(base, token, as, 'POST', '/Users', newUser(as, p))));
  }
  const ids = new Map<string, string>();
  for (const name of groups) {
    const filter = encodeURIComponent(`displayName eq "${name}"`);
    const query = as === 'okta' ? `/Groups?filter=${filter}` : `/Groups?excludedAttributes=members&filter=${filter}`;
    const found = firstId(await send(base, token, as, 'GET', query));
    const schemas =
      as === 'okta' ? [GROUP] : [GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'];
    const more = as === 'okta' ? { members: [] } : { externalId: `entra-${name}`, meta: { resourceType: 'Group' } };
    const id = found ?? idOf(await send(base, token, as, 'POST', '/Groups', { schemas, displayName: name, ...more }));
    ids.set(name, id);
    const members = people.filter((p) => p.groups.includes(name));
    await addMembers(
      base,
      token,
      id,
      members.map((p) => ({ id: users.get(p.sub) ?? '', name: displayName(p) })),
      as,
    );
  }
  return { users, groups: ids };
}

/** Adds members as the provider does: Okta all in one operation, Entra one request per member. */
export async function addMembers(
  base: string,
  token: string,
  group: string,
  members: readonly { id: string; name: string }[],
  as: Pusher = 'okta',
): Promise<void> {
  if (members.length === 0) return;
  if (as === 'okta') {
    const value = members.map((m) => ({ value: m.id, display: m.name }));
    await send(base, token, as, 'PATCH', `/Groups/${group}`, {
      schemas: [PATCH],
      Operations: [{ op: 'add', path: 'members', value }],
    });
    return;
  }
  for (const m of members)
    await send(base, token, as, 'PATCH', `/Groups/${group}`, {
      schemas: [PATCH],
      Operations: [{ op: 'Add', path: 'members', value: [{ $ref: null, value: m.id }] }],
    });
}

/** Takes one member out. */
export async function removeMember(
  base: string,
  token: string,
  group: string,
  user: string,
  as: Pusher = 'okta',
): Promise<void> {
  const operation =
    as === 'okta'
      ? { op: 'remove', path: `members[value eq "${user}"]` }
      : { op: 'Remove', path: 'members', value: [{ $ref: null, value: user }] };
  await send(base, token, as, 'PATCH', `/Groups/${group}`, { schemas: [PATCH], Operations: [operation] });
}

/** What happens when somebody leaves: one PATCH. Okta sends a boolean without a path, Entra a string with one. */
export async function deactivate(base: string, token: string, user: string, as: Pusher = 'okta'): Promise<void> {
  const operation =
    as === 'okta' ? { op: 'replace', value: { active: false } } : { op: 'Replace', path: 'active', value: 'False' };
  await send(base, token, as, 'PATCH', `/Users/${user}`, { schemas: [PATCH], Operations: [operation] });
}

/** And when they come back. */
export async function reactivate(base: string, token: string, user: string, as: Pusher = 'okta'): Promise<void> {
  const operation =
    as === 'okta' ? { op: 'replace', value: { active: true } } : { op: 'Replace', path: 'active', value: 'True' };
  await send(base, token, as, 'PATCH', `/Users/${user}`, { schemas: [PATCH], Operations: [operation] });
}
