import { z } from 'zod';
import { connectorNamed } from '../policy/api.ts';
import { EXIT, usage } from '../policy/exit.ts';
import type { PolicyCommand } from '../policy/run-policy.ts';
import { text } from '../scim/scim-options.ts';
import { linesOfReport } from './report-lines.ts';

const Report = z.looseObject({
  account: z.string().nullable(),
  wrong: z.string().nullable(),
  scopes: z.array(z.string()),
  tools: z.array(
    z.looseObject({
      tool: z.string(),
      outcome: z.enum(['works', 'refused', 'not_tried']),
      says: z.string(),
      missingScopes: z.array(z.string()),
    }),
  ),
  authorization: z.looseObject({ says: z.array(z.string()) }).nullable(),
});

/** `gatehouse connector check SLUG --url …`: the deployment itself tries a connector that it has. */
export const checkConfiguredCommand: PolicyCommand = {
  help: `gatehouse connector check SLUG --url URL
Has a deployment try one of its connectors with the account that its calls would use. The key needs the permissions connector.read
and connector.manage; a connector that acts for persons is tried by a person who is signed in, in the API. A server that says itself how
to be authorized at is asked again, and what it says is printed.`,
  options: { connector: { type: 'string' } },
  prepare(v) {
    const name = text(v, 'connector');
    if (name === undefined) throw usage('say which connector to check, by its short name or id');
    return async ({ api, answer }) => {
      const r = await api.ask('POST', `/connectors/${await connectorNamed(api, name)}/check`, Report);
      const found = r.authorization?.says.map((s) => `  ${s}`) ?? [];
      answer(
        [...linesOfReport(name, { ...r, wrong: r.wrong ?? undefined, account: r.account ?? 'nobody' }), ...found],
        r,
      );
      return r.wrong !== null || r.tools.some((t) => t.outcome === 'refused') ? EXIT.differs : EXIT.ok;
    };
  },
};
