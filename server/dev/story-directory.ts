import type { Scim } from './northwind.ts';
import { pushPeople } from './idp-push.ts';
import { company, groupNames, people, type Person } from './people.ts';
import { expect, list, type Api, type StepOf } from './story-parts.ts';

/** Seven of the workshop, so that there is a group that a mistake would hurt. */
const apprentices: readonly Person[] = ['Amber', 'Bulb', 'Candle', 'Diode', 'Ember', 'Filament', 'Glimmer'].map(
  (given, i) => ({
    sub: `00u-apprentice-${i + 1}`,
    email: `${given}@${company.domain}`.toLowerCase(),
    given,
    family: 'Apprentice',
    department: 'Workshop',
    groups: [groupNames.workshop],
  }),
);

/** How the directory decides who is in: a dry run, a name that nearly fits, and a mistake that waits for people. */
export async function tellOfDirectory(step: StepOf, api: Api, scim: Scim, apiUrl: string): Promise<void> {
  const base = '/provisioning';
  const waitsFor = `${company.name.split(' ')[0]?.toLowerCase()}-${groupNames.workshop.toLowerCase()}`;
  const groupOf = async (name: string): Promise<string> =>
    String(
      list((await api('GET', `/groups?q=${encodeURIComponent(name)}`))['items']).find(
        (g) => g['name'] === name || g['displayName'] === name,
      )?.['id'],
    );

  const strict = await step(async () => {
    await pushPeople(scim.base, scim.token, [people.unmapped, ...apprentices], [groupNames.workshop], 'okta');
    const [sales, leads] = [await groupOf(groupNames.sales), await groupOf(groupNames.leads)];
    await api('POST', `${base}/plans`, {
      edits: [{ set: 'map', name: waitsFor, role: 'user' }],
      apply: 'if_nobody_loses',
    });
    const edits = [
      { set: 'map', group: sales, role: 'user' },
      { set: 'map', group: leads, role: 'user' },
      { set: 'mode', mode: 'scim_advanced' },
    ];
    const plan = await api('POST', `${base}/plans`, { edits });
    const lose = list((await api('GET', `${base}/plans/${String(plan['id'])}/people?what=loses`))['items']);
    expect(lose.length === apprentices.length + 1, `the dry run says that ${lose.length} would lose access`);
    return {
      value: edits,
      says: `a dry run of "only mapped groups come in" says that ${lose.length} people would lose access, by name; nothing was changed`,
      look: `${apiUrl}${base}/plans/${String(plan['id'])}/people.csv`,
      details: [
        `among them ${people.unmapped.given}, because: ${String(list(lose.find((l) => String(l['email']).startsWith('greta'))?.['because'])[0]?.['says'])}`,
      ],
    };
  });

  await step(async () => {
    const misses = list((await api('GET', `${base}/near-misses`))['items']);
    // The same name also came in Greta's sign-in, as an attribute; the directory's group is the one with everybody in it.
    const miss = misses
      .filter((m) => m['wanted'] === waitsFor)
      .sort((a, b) => Number(b['members']) - Number(a['members']))[0];
    expect(miss !== undefined, `no near miss was found among ${JSON.stringify(misses)}`);
    await api('POST', `${base}/near-misses/fix`, { mapping: miss['mapping'], group: miss['group'] });
    const plan = await api('POST', `${base}/plans`, { edits: strict });
    const { loses } = plan['summary'] as { loses: number };
    expect(
      loses === 0,
      `${loses} would still lose access: ${JSON.stringify(list((await api('GET', `${base}/plans/${String(plan['id'])}/people?what=loses`))['items']))}`,
    );
    await api('POST', `${base}/plans/${String(plan['id'])}/apply`, { hash: plan['hash'], confirm: company.name });
    return {
      value: undefined,
      says: `the mapping waited for "${waitsFor}" and the group came as "${String(miss['seen'])}": one call maps it as it is, nobody loses, the mode is applied`,
      look: `${apiUrl}${base}/near-misses`,
      details: [String(miss['says'])],
    };
  });

  await step(async () => {
    const workshop = await groupOf(groupNames.workshop);
    const answer = await fetch(`${scim.base}/Groups/${workshop}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${scim.token}`, 'content-type': 'application/scim+json' },
      body: JSON.stringify({
        schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
        Operations: [{ op: 'replace', path: 'members', value: [] }],
      }),
    });
    expect(answer.ok, `SCIM answered ${answer.status}`);
    const held = list((await api('GET', `${base}/held`))['items']);
    expect(held.length === apprentices.length + 1, `the brake holds ${held.length}`);
    await api('POST', `${base}/held/discard`, { removals: 'all' });
    return {
      value: undefined,
      says: `the identity provider emptied a group of ${held.length} by mistake: it got its answer, and the brake holds all ${held.length} until a person has looked; discarded`,
      look: `${apiUrl}${base}/held`,
    };
  });
}
