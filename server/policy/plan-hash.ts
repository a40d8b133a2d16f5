import type { Reader } from '#kernel/db.ts';
import type { Id } from '#kernel/id.ts';
import type { Catalogue } from './catalogue.ts';
import { hashOf, setOf, type PolicyContent } from './content.ts';
import { listPeople } from './people.sql.ts';
import type { Wish } from './wish.ts';

/** Names a preview: the wish, and everything that what it does was computed from. */
export async function planHash(
  db: Reader,
  before: PolicyContent,
  wish: Wish,
  org: Id<'org'>,
  reviewedTools: Catalogue['reviewedTools'],
): Promise<string> {
  const people = (await listPeople(db)).map((p) => [p.user, ...p.groups]);
  const tools = (await reviewedTools(db)).map((t) => [t.connector, t.name, t.class]);
  return hashOf([wish, setOf(org, before).version, people, tools]);
}
