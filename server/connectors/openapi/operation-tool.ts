import type { BuiltinTool, StatedInput } from '../kit/builtin-tool.ts';
import { checkValue } from './check-value.ts';
import { encodeRequest } from './encode-request.ts';
import type { Operation } from './operation.ts';
import { shownAnswer } from './show-answer.ts';
import { isRecord } from '../tool.ts';

/** Of refusals, those that a client of vendors acts on itself: a credential that is not taken, and too many requests. */
const answered = Array.from({ length: 200 }, (_, i) => 400 + i).filter((s) => s !== 401 && s !== 429);

/** An imported operation as a tool: what arguments must be, and how a call is made of them. */
export const operationTool = (o: Operation, service: string): BuiltinTool => ({
  name: o.name,
  title: o.title,
  description: o.description,
  input: inputOf(o.inputSchema),
  class: o.class,
  projection: [],
  scopes: [],
  // Nobody but a reviewer knows better of a service that we do not.
  brings: ['untrusted', 'private'],
  outward: o.class !== 'read',
  async run(call, args) {
    const given: unknown = args;
    const answer = await call.vendor.send({
      ...encodeRequest(o.plan, isRecord(given) ? given : {}),
      takes: answered,
    });
    return shownAnswer(service, answer, call.signal);
  },
});

const inputOf = (schema: Operation['inputSchema']): StatedInput => ({
  stated: schema,
  safeParse(args) {
    const wrong = checkValue(schema, args);
    return wrong ? { success: false, error: { issues: [wrong] } } : { success: true, data: args };
  },
});
