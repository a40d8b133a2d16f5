import type { Operation } from '#kernel/operation.ts';
import type { Permission } from '#kernel/permission.ts';
import { can } from '#org/roles.ts';
import type { Topics } from '#start/topic.ts';

const connectors = ['catalogue', 'connections', 'connectors', 'mine'];
const identity = ['identity', 'mine', 'org'];
const people = ['directory', 'mine', 'org', 'provisioning'];

/**
 * What an event may have changed on a page, by the first part of its type. A type that is not here may have changed anything: a forgotten
 * line makes pages read too much, never too little.
 */
const touches: Record<string, readonly string[]> = {
  access: identity,
  answer: [],
  api_key: ['org'],
  approval: ['approvals', 'mine'],
  audit: [],
  authorization: ['authorization', 'mine'],
  break_glass: identity,
  call_limits: ['limits'],
  connection: connectors,
  connector: [...connectors, 'policy'],
  connector_app: connectors,
  directory: people,
  dlp: ['dlp', 'approvals'],
  domain: ['domains', 'identity'],
  group: [...people, 'policy'],
  id_jag: ['authorization', 'identity', 'mine'],
  identity: [...identity, 'directory'],
  idp_setup: ['identity', 'directory', 'domains'],
  instructions: connectors,
  key: ['keys'],
  mail_link: identity,
  message: [],
  notify: ['notify'],
  org: ['org', 'mine', 'provisioning'],
  passkey: identity,
  policy: ['policy', 'mine'],
  provisioning: people,
  session: identity,
  sessions: identity,
  setup_link: identity,
  sign_in: [...identity, 'provisioning'],
  sso: identity,
  tool: ['gateway'],
  tool_review: connectors,
  tools: [...connectors, 'policy'],
  tunnel: ['tunnels'],
  user: people,
};
/** These are only calls and readings: nothing that the page Start shows waits longer or is done because of them. */
const passing = /^(answer|audit|message|session|tool)\./;

/** Somebody looked. Nothing is other than before, and a page that is asked again because of its own trace would never rest. */
const looking = /[._](?:read|exported|explained|simulated|rehearsed|tried)$/;

/** What the page Start and the live stream say of the rooms, from the operations that there are. */
export function topicsOf(operations: readonly Operation[]): Topics {
  const needs = new Map<string, Set<Permission>>();
  for (const op of operations) {
    if (!op.at.startsWith('GET ') || !op.at.includes('/:org') || op.can === 'signed_in') continue;
    const topic = op.id.split('.')[0] ?? op.id;
    needs.set(topic, (needs.get(topic) ?? new Set()).add(op.can));
  }
  return {
    touched(type) {
      if (looking.test(type)) return ['audit'];
      const found = touches[type.split('.')[0] ?? ''];
      return found && ['audit', ...(passing.test(type) ? [] : ['start']), ...found];
    },
    heard: (role) =>
      new Set([
        'mine',
        'start',
        ...[...needs].flatMap(([topic, any]) => ([...any].some((p) => can(role, p)) ? [topic] : [])),
      ]),
  };
}
