import { textOf, type Agent } from './agent.ts';
import { expect, list, type Api, type Json, type StepOf } from './story-parts.ts';

/** Looks until it holds: a node learns of a change at once or, on a busy machine, when it looks again, a second later at the most. */
const MAX_TRIES = 200;

/**
 * A tool that changes after its review: a release of the CRM in which somebody else had a hand. Nobody sees or calls it, the reviewer sees what
 * changed and what is hidden in it, and when the CRM is as it was, so is everything else.
 */
export async function tellOfReview(
  step: StepOf,
  api: Api,
  at: { crm: string; path: string; look: string },
  agent: Agent,
): Promise<void> {
  const turn = async (path: '/turn' | '/turn-back'): Promise<void> => {
    expect((await fetch(at.crm + path, { method: 'POST' })).ok, 'the CRM does not change');
  };

  await step(async () => {
    const told = await api('GET', `${at.path}/review`);
    await api('POST', `${at.path}/instructions`, { pin: told['pin'], verdict: 'accepted' });
    const sees = async (): Promise<string[]> => (await agent.client.listTools()).tools.map((t) => t.name).sort();
    const before = (await sees()).join();
    expect(before.includes('search_accounts'), `the seller sees ${before}`);

    await turn('/turn');
    const after = (await sees()).join();
    expect(!after.includes('search_accounts'), 'the changed tool is still listed');
    let refused = '';
    for (let i = 0; i < MAX_TRIES && refused === ''; i++) {
      const answer = await agent.client.callTool({ name: 'search_accounts', arguments: { text: 'Moth' } });
      if (answer.isError === true) refused = textOf(answer);
    }
    expect(refused.includes('no longer as it was reviewed'), `the changed tool was called: ${refused}`);

    const [waiting] = list((await api('GET', '/tool-reviews?q=search_accounts'))['items']);
    expect(waiting?.['severity'] === 'meaning', `it does not wait for a review: ${JSON.stringify(waiting)}`);
    const sheet = await api('GET', `${at.path}/review?tool=search_accounts`);
    const findings = list(sheet['findings']).map((f) => String(f['id']));
    for (const id of ['invisible_characters', 'takes_content_out', 'keeps_from_the_person', 'new_free_text'])
      expect(findings.includes(id), `the reviewer is not told of ${id}, only of ${findings.join(', ')}`);

    await turn('/turn-back');
    const again = (await sees()).join();
    expect(again === before, `the tool as it was reviewed does not come back: ${again}`);
    return {
      value: undefined,
      says: `the CRM changed search_accounts after its review: no agent sees or calls it, a reviewer sees ${list(sheet['changes']).length} changes with ${findings.length} findings; when the CRM took it back, it worked again without asking`,
      look: `${at.look}/tool-reviews`,
      details: [
        `refused with: ${refused.split('\n')[0] ?? ''}`,
        ...list(sheet['changes']).flatMap(shownChange),
        ...list(sheet['findings']).map((f) => `${String(f['severity'])}: ${String(f['says'])} at ${String(f['at'])}`),
      ],
    };
  });
}

/** One change of a definition as a reader of a terminal sees it. */
export function shownChange(c: Json): string[] {
  const head = `${String(c['at'])} ${String(c['change'])}`;
  const lines = list(c['lines']);
  if (lines.length === 0)
    return [
      head,
      ...[c['before'], c['after']].flatMap((v, i) => (typeof v === 'string' ? [`${'-+'[i]} ${oneLine(v)}`] : [])),
    ];
  const sign: Record<string, string> = { same: ' ', deleted: '-', inserted: '+' };
  return [head, ...lines.map((l) => `${sign[String(l['op'])] ?? '?'} ${oneLine(String(l['text']))}`)];
}

const oneLine = (text: string): string => text.replace(/\s+/g, ' ').trim();
