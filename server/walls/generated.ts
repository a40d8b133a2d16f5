import { globSync, readFileSync } from 'node:fs';
import { generateClient, generateMock, type Document } from '@gatehouse/client/generate.ts';
import { openApi } from '#kernel/openapi.ts';
import { permissions } from '#kernel/permission.ts';
import { memberRoles } from '#org/member.ts';
import { decisionTable } from '#provisioning/decision-table.ts';
import { can } from '#org/roles.ts';
import { z } from 'zod';
import { allEvents } from '../all-events.ts';
import { variables } from '../config.ts';
import { allOperations } from '../doors.ts';

const root = new URL('../', import.meta.url);
const head = (title: string, says: string): string =>
  `# ${title}\n\nWritten by \`npm run gen\`; a wall checks that it is fresh, so a change of what the outside can see is a difference in review.\n\n${says}\n\n`;
const cell = (s: string): string => s.replaceAll('|', '\\|').replaceAll('\n', ' ');

const rooms =
  'kernel|http|db|seal|egress|embedded|config|server|audit|org|directory|domains|identity|authorization|policy|connectors|dlp|approvals|gateway|provisioning|notify';
/** Strings of the same form: a method of MCP, and what a key is derived for. */
const notCodes = new Set(['server/discover', 'seal/deployment']);
const sources = (): { file: string; text: string }[] =>
  globSync('**/*.ts', { cwd: root.pathname, exclude: ['**/node_modules/**'] })
    .filter((file) => !file.endsWith('.test.ts') && !/^(dev|walls|bench)\//.test(file))
    .map((file) => ({ file, text: readFileSync(new URL(file, root), 'utf8') }));

/** Every code that an answer can have. A few are put together (`authorization/token-${what}`); those are found by their parts in tests. */
export function problemCodes(): { codes: string[]; bugs: Set<string> } {
  const codes = new Set<string>();
  const bugs = new Set<string>();
  const refusals = new Set<string>();
  for (const { text } of sources()) {
    for (const [, code = ''] of text.matchAll(new RegExp(`'((?:${rooms})/[a-z0-9-]+)'`, 'g')))
      if (!notCodes.has(code)) codes.add(code);
    for (const [, kind, code = ''] of text.matchAll(/\bProblem\(\s*'(\w+)',\s*'([a-z]+\/[a-z0-9-]+)'/g))
      (kind === 'bug' ? bugs : refusals).add(code);
  }
  return { codes: [...codes].sort(), bugs: bugs.difference(refusals) };
}

/** Literals of the code that live outside it: prefixes of ids, names of cookies and job tasks, marks of formats, purposes of derived keys. */
function pins(): string[] {
  const found = new Set<string>();
  for (const { text } of sources()) {
    for (const [, prefix] of text.matchAll(/(?:newId|parseId)\(\s*'(\w+)'/g)) found.add(`id prefix  ${prefix}_`);
    for (const [cookie] of text.matchAll(/__(?:Host|Secure)-[a-z_-]+/g)) found.add(`cookie     ${cookie}`);
    for (const [, purpose] of text.matchAll(/\.derive\(\s*'([^']+)'/g)) found.add(`key for    ${purpose}`);
    for (const [, name] of text.matchAll(/^ {2}name: '([a-z_.]+)',\n(?=[^]{0,80}\brun)/gm))
      found.add(`job        ${name}`);
    for (const [secret] of text.matchAll(/\bgh[a-z]_(?=[`$['])/g)) found.add(`secret     ${secret}`);
  }
  for (const mark of ['gatehouse-action-v1', 'gatehouse-audit-1']) found.add(`format     ${mark}`);
  return [...found].sort();
}

/** The files of docs/generated, by name. */
export function generated(): Record<string, string> {
  const operations = allOperations();
  return {
    'config.md': `${head('Settings', 'Environment variables; nothing else configures a node. A misspelt name or half of a pair stops the start.')}| variable | what it sets | default |\n|---|---|---|\n${variables.map((v) => `| \`${v.name}\` | ${cell(v.says)} | ${cell(v.default ?? '')} |`).join('\n')}\n`,
    'events.md': `${head('Events', 'Everything that the log can say. Types are added, never changed.')}| type | data | OCSF class |\n|---|---|---|\n${Object.entries(
      allEvents,
    )
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(
        ([type, e]) =>
          `| \`${type}\` | ${Object.entries(
            (z.toJSONSchema(e.data, { unrepresentable: 'any', io: 'output' }).properties ?? {}) as Record<
              string,
              unknown
            >,
          )
            .map(([k]) => `\`${k}\``)
            .join(' ')} | ${e.ocsf} |`,
      )
      .join('\n')}\n`,
    'operations.md': `${head('Operations', 'The HTTP surface. Shapes are in `/api/openapi.json` of a running deployment. The gateway (`/mcp/…`) and the authorization server (`/oauth/…`) speak their own protocols and are not in this table.')}| method and path | permission | operation | what it does |\n|---|---|---|---|\n${operations.map((o) => `| \`${o.at.replace(' ', ` ${o.prefix}`)}\` | ${o.can} | \`${o.id}\` | ${cell(o.says)} |`).join('\n')}\n`,
    'codes.md': `${head('Codes of refusals', 'Each is stable for ever. The answer itself says what was found and what to do.')}${problemCodes()
      .codes.map((c) => `- \`${c}\``)
      .join('\n')}\n`,
    'provisioning-decisions.txt': decisionTable(),
    'pins.txt': `What others may have stored or compare by the letter; none of it may change. Written by \`npm run gen\`.\n\n${pins().join('\n')}\n`,
    'access.txt': `Which role has which permission. Written by \`npm run gen\`, reviewed as a difference.\n\n${'permission'.padEnd(20)}${memberRoles.map((r) => r.padEnd(15)).join('')}\n${permissions
      .map((p) => p.padEnd(20) + memberRoles.map((r) => (can(r, p) ? 'yes' : '-').padEnd(15)).join(''))
      .map((l) => l.trimEnd())
      .join('\n')}\n`,
  };
}

/** The files of packages/client/generated, by name: the client is what the operations say, and no more. */
export function clientFiles(): Record<string, string> {
  const api = allOperations().filter((o) => o.prefix === '/api');
  const document = openApi([{ prefix: '/api', operations: api }], '', '') as Document;
  return { ...generateClient(document), 'mock.json': generateMock(document) };
}
