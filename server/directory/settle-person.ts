import { event, type AuditEvent } from '#audit/events.ts';
import type { Tx } from '#kernel/db.ts';
import { newId, type Id } from '#kernel/id.ts';
import { findUserByEmail, insertUser, lockUser, saveUserProfile, saveUserState } from '#org/user.sql.ts';
import type { User } from '#org/user.ts';
import { directoryEvents } from './directory.events.ts';
import type { ScimCtx } from './directory.ts';
import { findFormer, lockAddress } from './scim-user.sql.ts';
import { addressOf, columnsOf, isActive, shownNameOf, type Person } from './scim-user.ts';
import type { Complex } from './scim-value.ts';

export type Settled = { person: Person; link?: 'created' | 'returned'; events: AuditEvent[] };

/**
 * Makes the account of an entry say what the directory says now: name, address, whether it may be used.
 * INVARIANT (no take-over): an account that this room did not make is never linked, renamed or suspended here.
 * A suspension is part of the caller's transaction, so that with its commit every surface refuses the person.
 */
export async function settlePerson(
  tx: Tx,
  ctx: ScimCtx,
  entry: { id: Id<'scu'>; person: Person | undefined; attributes: Complex; wasActive: boolean },
): Promise<Settled> {
  const { attributes } = entry;
  const on = isActive(attributes);
  if (entry.person?.state === 'linked') {
    const { user } = entry.person;
    const kept = await keep(tx, ctx, entry.id, entry.person, attributes, entry.wasActive);
    if (!on || entry.wasActive) return kept;
    const begun = await ctx.admission.begin(tx, ctx, { entry: entry.id, user, how: 'reactivated' });
    return { ...kept, events: [...kept.events, ...begun] };
  }
  const email = addressOf(attributes);
  // Asked in one go: the three do not depend on each other, and this is the path of every new person.
  const [former, , other] = await Promise.all([
    entry.person === undefined ? findFormer(tx, ctx.directory, columnsOf(attributes)) : undefined,
    email === undefined ? 0 : lockAddress(tx, email.toLowerCase()),
    email === undefined ? undefined : findUserByEmail(tx, email),
  ]);
  if (former) {
    const person: Person = { state: 'linked', user: former.user, suspendedHere: former.suspendedHere };
    const kept = await keep(tx, ctx, entry.id, person, attributes, false);
    const begun = on ? await ctx.admission.begin(tx, ctx, { entry: entry.id, user: former.user, how: 'returned' }) : [];
    return { ...kept, events: [...kept.events, ...begun], link: 'returned' };
  }
  if (email === undefined) return { person: { state: 'unlinked', because: 'no_address' }, events: [] };
  if (other)
    return {
      person: { state: 'unlinked', because: other.origin === 'directory' ? 'address_in_use' : 'local_user' },
      events: [],
    };
  const user: User = {
    id: newId('usr', ctx.now.getTime()),
    email,
    displayName: shownNameOf(attributes),
    state: 'active',
    origin: 'directory',
  };
  const [, events] = await Promise.all([
    insertUser(tx, user, ctx.now),
    on ? ctx.admission.begin(tx, ctx, { entry: entry.id, user: user.id, how: 'made' }) : [],
  ]);
  if (!on) await saveUserState(tx, user.id, 'suspended', ctx.directory, ctx.now);
  return { person: { state: 'linked', user: user.id, suspendedHere: !on }, link: 'created', events };
}

async function keep(
  tx: Tx,
  ctx: ScimCtx,
  entry: Id<'scu'>,
  person: Extract<Person, { state: 'linked' }>,
  attributes: Complex,
  wasActive: boolean,
): Promise<Settled> {
  const events: AuditEvent[] = [];
  const about = { directory: ctx.directory, entry, user: person.user };
  const user = await lockUser(tx, person.user);
  if (!user) return { person, events };
  // An address that cannot be taken over must not hold up what else the request says: it may say that the person has left.
  const wanted = addressOf(attributes);
  let email = user.email;
  if (wanted === undefined)
    events.push(event(directoryEvents, 'directory.address_kept', { ...about, because: 'no_address' }));
  else if (wanted !== user.email) {
    await lockAddress(tx, wanted.toLowerCase());
    const other = await findUserByEmail(tx, wanted);
    if (other && other.id !== user.id)
      events.push(event(directoryEvents, 'directory.address_kept', { ...about, because: 'address_in_use' }));
    else email = wanted;
  }
  const displayName = shownNameOf(attributes);
  if (email !== user.email || displayName !== user.displayName)
    await saveUserProfile(tx, user.id, { email, displayName });

  let { suspendedHere } = person;
  if (!isActive(attributes)) {
    const end =
      wasActive || user.state === 'active'
        ? await ctx.admission.end(tx, ctx, { entry, user: user.id, how: 'disabled' })
        : { suspend: true, events: [] };
    events.push(...end.events);
    if (!end.suspend) return { person: { state: 'linked', user: user.id, suspendedHere }, events };
    const changed = (await saveUserState(tx, user.id, 'suspended', ctx.directory, ctx.now)) > 0;
    suspendedHere ||= changed;
    if (changed || wasActive) events.push(event(directoryEvents, 'directory.user_deactivated', { ...about, changed }));
  } else if (suspendedHere) {
    const changed = (await saveUserState(tx, user.id, 'active', ctx.directory, ctx.now)) > 0;
    suspendedHere = false;
    events.push(event(directoryEvents, 'directory.user_reactivated', { ...about, changed }));
  } else if (!wasActive && user.state === 'suspended') {
    events.push(event(directoryEvents, 'directory.user_reactivated', { ...about, changed: false }));
  }
  return { person: { state: 'linked', user: user.id, suspendedHere }, events };
}
