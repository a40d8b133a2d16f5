import { displayName, people } from './people.ts';
import { expect, list, type Api, type Json, type StepOf } from './story-parts.ts';

/** What a stricter rule would have stopped, asked of the calls that the story has made; nothing is changed by it. */
export async function tellOfBacktest(step: StepOf, api: Api, apiUrl: string): Promise<void> {
  await step(async () => {
    const crm = list((await api('GET', '/connectors'))['items']).find((c) => c['slug'] === 'crm');
    const rule = {
      name: 'Nobody changes the CRM',
      who: { kind: 'everyone' },
      connector: crm?.['id'],
      tools: { classes: ['write'] },
      effect: 'forbid',
    };
    const begun = await api('POST', '/policy/backtests', { days: 1, draft: { changes: [{ kind: 'add_rule', rule }] } });
    const path = `/policy/backtests/${String(begun['id'])}`;
    const done = await ended(api, path);
    const report = done['report'] as Json;
    const change = list(report['changes']).find((c) => c['from'] === 'allowed' && c['to'] === 'denied');
    const example = list(change?.['examples']).find((e) => e['person'] === displayName(people.lead));
    expect(change !== undefined && example !== undefined, `the backtest says ${JSON.stringify(report)}`);
    const rules = list((await api('GET', '/rules'))['items']).map((r) => r['name']);
    expect(!rules.includes(rule.name), 'the draft became a rule');
    return {
      value: undefined,
      says: `a stricter rule was tried on the ${String(report['calls'])} calls of the last day: it would have stopped ${String(change['ran'])} that ran, among them ${String(example['tool'])} by ${people.lead.given}; no rule was changed`,
      look: `${apiUrl}${path}`,
      details: [`the call: ${String(example['call'])}, ${String(change['from'])} -> ${String(change['to'])}`],
    };
  });
}

async function ended(api: Api, path: string): Promise<Json> {
  for (let i = 0; i < 400; i++) {
    const now = await api('GET', path);
    if (now['state'] === 'done') return now;
    expect(now['state'] === 'waiting' || now['state'] === 'running', `the backtest is ${JSON.stringify(now)}`);
    await new Promise((r) => setTimeout(r, 50));
  }
  expect(false, 'the backtest did not end');
}
