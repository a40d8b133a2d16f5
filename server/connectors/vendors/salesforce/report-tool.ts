import { z } from 'zod';
import { MiB } from '#kernel/limits.ts';
import { Problem } from '#kernel/problem.ts';
import { builtinTool } from '../../kit/builtin-tool.ts';
import { oneLine } from '../../kit/one-line.ts';
import { textAnswer } from '../../kit/text-answer.ts';
import { dataPath, salesforce } from './salesforce-api.ts';
import { RecordId, salesforceSettings } from './settings.ts';

const Cell = z.looseObject({ label: z.string().nullish(), value: z.unknown() });
type Grouping = { key: string; label: string; groupings: Grouping[] };
const Grouping: z.ZodType<Grouping> = z.lazy(() =>
  z.looseObject({
    key: z.string(),
    label: z
      .string()
      .nullish()
      .transform((l) => l ?? '-'),
    groupings: z
      .array(Grouping)
      .nullish()
      .transform((g) => g ?? []),
  }),
);
const Report = z.looseObject({
  attributes: z.looseObject({ reportName: z.string().optional() }).optional(),
  allData: z.boolean().optional(),
  hasDetailRows: z.boolean().optional(),
  reportMetadata: z.looseObject({
    name: z.string().optional(),
    detailColumns: z.array(z.string()).optional(),
    aggregates: z.array(z.string()).optional(),
  }),
  reportExtendedMetadata: z
    .looseObject({
      detailColumnInfo: z.record(z.string(), z.looseObject({ label: z.string() })).optional(),
      aggregateColumnInfo: z.record(z.string(), z.looseObject({ label: z.string() })).optional(),
    })
    .optional(),
  groupingsDown: z.looseObject({ groupings: z.array(Grouping) }).optional(),
  groupingsAcross: z.looseObject({ groupings: z.array(Grouping) }).optional(),
  factMap: z.record(
    z.string(),
    z.looseObject({
      aggregates: z.array(Cell).optional(),
      rows: z.array(z.looseObject({ dataCells: z.array(Cell) })).optional(),
    }),
  ),
});

const cells = (c: readonly z.infer<typeof Cell>[]): string => c.map((x) => oneLine(x.label ?? '-')).join(' | ');

/** Labels of groups by the keys that the fact map has: `0`, `0_1`. */
const labels = (groupings: readonly Grouping[], above: readonly string[] = []): [string, string][] =>
  groupings.flatMap((g) => {
    const path = [...above, g.label];
    return [[g.key, path.join(' / ')] as [string, string], ...labels(g.groupings, path)];
  });

export const runReportTool = builtinTool({
  name: 'run_report',
  title: 'Run a report',
  description:
    'Runs one of the reports that are open to this connector, with its own filters, and shows its rows and totals; at most 2,000 rows.',
  input: z.strictObject({
    id: RecordId.describe('Id of the report, as its address in Salesforce has it (00O…)'),
    details: z.boolean().optional().describe('Whether rows are shown and not only totals; default yes'),
  }),
  class: 'read',
  projection: [{ kind: 'path', at: '/id' }],
  scopes: ['api', 'full'],
  brings: ['untrusted', 'private'],
  outward: false,
  async run(call, { id, details }) {
    const { reports } = salesforceSettings(call.settings);
    // A report can show any object, so each is opened by its id. The last three of 18 characters only repeat the case of the others.
    if (!reports?.some((r) => r.slice(0, 15) === id.slice(0, 15)))
      throw new Problem('forbidden', 'connectors/salesforce-report', {
        says: `the report ${id} is not among those that are open to this connector`,
        fix: 'use soql_query, or ask an administrator to add the report to "reports" of the Salesforce connector',
      });
    const { value: r, notes } = await salesforce(
      call,
      {
        method: 'GET',
        path: dataPath(call, 'analytics', 'reports', id),
        query: { includeDetails: details ?? true },
        maxBytes: 16 * MiB,
      },
      Report,
    );
    const down = new Map(labels(r.groupingsDown?.groupings ?? []));
    const across = new Map(labels(r.groupingsAcross?.groupings ?? []));
    const info = r.reportExtendedMetadata;
    const lines = [
      oneLine(r.reportMetadata.name ?? r.attributes?.reportName ?? id),
      ...(r.reportMetadata.detailColumns?.length
        ? [
            `columns: ${r.reportMetadata.detailColumns.map((c) => oneLine(info?.detailColumnInfo?.[c]?.label ?? c)).join(' | ')}`,
          ]
        : []),
      ...(r.reportMetadata.aggregates?.length
        ? [
            `totals: ${r.reportMetadata.aggregates.map((c) => oneLine(info?.aggregateColumnInfo?.[c]?.label ?? c)).join(' | ')}`,
          ]
        : []),
    ];
    for (const [key, fact] of Object.entries(r.factMap)) {
      const [d = 'T', a = 'T'] = key.split('!');
      const where = [down.get(d), across.get(a)].filter((l) => l !== undefined).join(', ');
      if (fact.aggregates && fact.aggregates.length > 0)
        lines.push(`[${where === '' ? 'all' : oneLine(where)}] ${cells(fact.aggregates)}`);
      for (const row of fact.rows ?? []) lines.push(cells(row.dataCells));
    }
    if (r.allData === false) lines.push('(Salesforce shows the first 2,000 rows only)');
    return textAnswer([...lines, ...notes], { id }, { ask: 'ask with details: false' });
  },
});
