import { parseId, type Id } from '#kernel/id.ts';
import type { Bootstrapped } from '../bootstrap.ts';
import type { Serving } from '../serve.ts';
import { setupLinkFor } from '../setup-link.ts';
import { textOf, type Agent } from './agent.ts';
import { company, people, type Person } from './people.ts';
import { asPerson } from './story-merge.ts';
import { expect, list, type Api, type Json, type StepOf } from './story-parts.ts';

const card = '4111 1111 1111 1111';

/** A card number on its way out is stopped, kept, and released by two people who are not the one it was kept from. */
export async function tellOfQuarantine(
  step: StepOf,
  api: Api,
  { opened: { world }, settled }: Pick<Serving, 'opened' | 'settled'>,
  f: Bootstrapped,
  agentOf: (person: Person) => Promise<Agent>,
): Promise<void> {
  await step(async () => {
    await api('PUT', '/dlp/baseline/payment_card', { arguments: 'quarantine' });
    const added = await api('POST', '/members', {
      email: `ines@${company.domain}`,
      displayName: 'Ines Incandescent',
      role: 'admin',
    });
    const as = async (user: Id<'usr'> | undefined): Promise<Api> => {
      if (!user) throw new Error('the story is not true: nobody was added');
      return asPerson(world, f.org, (await setupLinkFor(world, user)).url);
    };
    const wilhelmina = await as(f.owner);
    const ines = await as(parseId('usr', String(added['user'])));

    const bianca = await agentOf(people.lead);
    const note = { id: 'deal-1', note: `Paid with ${card}, ask accounts` };
    const write = async (args: Json): Promise<string> =>
      textOf(await bianca.client.callTool({ name: 'add_note', arguments: args }));
    const notes = async (): Promise<string> =>
      textOf(await bianca.client.callTool({ name: 'get_deal', arguments: { id: 'deal-1' } }));

    // As late as a cache may be.
    let stopped = '';
    for (let i = 0; i < 40 && !stopped.includes('qua_'); i++) {
      stopped = await write(note);
      await new Promise((r) => setTimeout(r, 50));
    }
    const id = /qua_[0-9a-f]{32}/.exec(stopped)?.[0] ?? '';
    expect(id !== '', `the card number was not kept: ${stopped}`);
    expect(!stopped.includes('4111'), `the refusal says the number: ${stopped}`);

    const path = `/quarantine/${id}`;
    const waiting = await wilhelmina('GET', path);
    expect(waiting['needs'] === 2, `${String(waiting['needs'])} people are needed`);
    const seen = String((await wilhelmina('GET', `${path}/content`))['content']);
    expect(seen.includes(card), `the reviewer sees ${seen}`);
    const once = await wilhelmina('POST', `${path}/decision`, { decision: 'release', reason: 'accounts asked for it' });
    expect(once['state'] === 'waiting', `one person released it: ${JSON.stringify(once)}`);
    const twice = await ines('POST', `${path}/decision`, { decision: 'release' });
    expect(twice['state'] === 'released', `two people did not release it: ${JSON.stringify(twice)}`);

    const changed = await write({ ...note, note: `${note.note} now` });
    expect(changed.includes('qua_') && !changed.includes(id), `changed arguments went through: ${changed}`);
    const done = await write(note);
    expect(!done.includes('qua_'), `the released call did not go through: ${done}`);
    const again = await write(note);
    expect(again.includes('qua_') && !again.includes(id), `it went through twice: ${again}`);
    await settled();
    const events = list((await api('GET', '/audit/events?limit=50&type=dlp.quarantine_released'))['events']);
    expect(events.length === 1, `the log has ${events.length} releases`);
    expect(!JSON.stringify(events).includes('4111'), 'the log has the number');
    // What comes back is looked at, too: cards in results are still blocked.
    const back = await notes();
    expect(!back.includes('4111'), `the number came back: ${back}`);
    return {
      value: undefined,
      says: `a card number on its way into the CRM was stopped and kept sealed; Wilhelmina and Ines released it, ${people.lead.given}'s call then went through once, and with one word more it was stopped again`,
      look: `${f.api}${path}`,
      details: [stopped.split('\n')[0] ?? ''],
    };
  });
}
