// What the client suite of `@modelcontextprotocol/conformance` starts as the client under test: it hands the scenario to the gateway of the test that
// runs the suite (conformance-agent.ts), whose address is its first argument, and ends as that did.
import { argv, env } from 'node:process';

const [control = '', url = ''] = argv.slice(2);
const response = await fetch(control, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({
    url,
    scenario: env['MCP_CONFORMANCE_SCENARIO'] ?? '',
    context: JSON.parse(env['MCP_CONFORMANCE_CONTEXT'] ?? '{}') as unknown,
  }),
});
console.log(await response.text());
process.exitCode = response.ok ? 0 : 1;
