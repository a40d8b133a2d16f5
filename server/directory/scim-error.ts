import { status, type Problem } from '#kernel/problem.ts';
import { errorSchema, type Shown } from './scim-wire.ts';

/** Where we add to a SCIM error what RFC 7644 has no word for. */
export const explainKey = 'urn:gatehouse:params:scim:explain';

/** A refusal as RFC 7644 §3.12 has it; `status` is a string there. */
export function scimError(p: Problem, request: string): Shown {
  const { scimType, retryAfter: _header, ...facts } = p.more ?? {};
  const type = typeof scimType === 'string' ? scimType : p.kind === 'invalid' ? 'invalidSyntax' : undefined;
  return {
    schemas: [errorSchema],
    status: String(status[p.kind]),
    ...(type === undefined ? {} : { scimType: type }),
    detail: p.fix ? `${p.says}. What to do: ${p.fix}.` : `${p.says}.`,
    [explainKey]: { code: p.code, request, ...facts },
  };
}
