import { z } from 'zod';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { maybe, slack, type SlackCall } from './slack-api.ts';

export const Person = z.looseObject({
  id: z.string(),
  team_id: maybe(z.string()),
  name: maybe(z.string()),
  real_name: maybe(z.string()),
  deleted: maybe(z.boolean()),
  is_bot: maybe(z.boolean()),
  is_restricted: maybe(z.boolean()),
  is_ultra_restricted: maybe(z.boolean()),
  is_stranger: maybe(z.boolean()),
  tz: maybe(z.string()),
  profile: maybe(
    z.looseObject({
      display_name: maybe(z.string()),
      real_name: maybe(z.string()),
      title: maybe(z.string()),
      email: maybe(z.string()),
      status_text: maybe(z.string()),
    }),
  ),
});
export type Person = z.infer<typeof Person>;

/** People whose names are asked for in one call; the others are shown by their ids. */
const MAX_NAMES = 60;
/** Asked for at once: Slack lets an app ask for about 100 people a minute. */
const AT_ONCE = 8;

export const personName = (p: Person): string =>
  [p.profile?.display_name, p.profile?.real_name, p.real_name, p.name].find((n) => n !== undefined && n !== '') ?? p.id;

export const findPerson = async (call: SlackCall, id: string): Promise<Person> =>
  (await slack(call, 'users.info', { user: id }, z.looseObject({ user: Person }))).user;

/** Names by id, for one answer. Whoever cannot be found out keeps the id: a missing name is no reason to withhold a message. */
export async function namesOf(call: SlackCall, ids: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  const wanted = [...new Set(ids)].slice(0, MAX_NAMES);
  const next = async (): Promise<void> => {
    for (let id = wanted.shift(); id !== undefined; id = wanted.shift())
      try {
        names.set(id, personName(await findPerson(call, id)));
      } catch (e) {
        if (!(e instanceof VendorRefusal)) throw e;
        // One refusal for all of them: what is throttled or lacks a scope will be refused for the next too.
        if (e.code !== 'user_not_found' && e.code !== 'user_not_visible') wanted.length = 0;
      }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
  return names;
}
