import { z } from 'zod';
import { Problem } from '#kernel/problem.ts';
import { VendorRefusal } from '../../kit/vendor-client.ts';
import { segment } from '../../kit/vendor-path.ts';
import { notion, type NotionCall } from './notion-api.ts';
import { Property, titleOf } from './properties.ts';
import { plainOf, RichText } from './rich-text.ts';
import { notionSettings } from './settings.ts';

export const Page = z.looseObject({
  object: z.literal('page'),
  id: z.string(),
  url: z.string().optional(),
  public_url: z.string().nullish(),
  in_trash: z.boolean().optional(),
  last_edited_time: z.string().optional(),
  properties: z.record(z.string(), Property),
  parent: z.looseObject({ type: z.string(), data_source_id: z.string().optional() }).optional(),
});
export type Page = z.infer<typeof Page>;

export const DataSource = z.looseObject({
  object: z.literal('data_source'),
  id: z.string(),
  title: z.array(RichText).optional(),
  properties: z.record(
    z.string(),
    z.looseObject({
      type: z.string(),
      select: z.looseObject({ options: z.array(z.looseObject({ name: z.string() })) }).optional(),
      multi_select: z.looseObject({ options: z.array(z.looseObject({ name: z.string() })) }).optional(),
      status: z.looseObject({ options: z.array(z.looseObject({ name: z.string() })) }).optional(),
    }),
  ),
  parent: z.looseObject({ database_id: z.string().optional() }).optional(),
});
export type DataSource = z.infer<typeof DataSource>;

export const Database = z.looseObject({
  object: z.literal('database'),
  id: z.string(),
  title: z.array(RichText).optional(),
  public_url: z.string().nullish(),
  data_sources: z.array(z.looseObject({ id: z.string(), name: z.string().optional() })),
});

export const findPage = (call: NotionCall, id: string): Promise<Page> =>
  notion(call, { method: 'GET', path: `/v1/pages/${segment(id)}` }, Page);
export const findDataSource = (call: NotionCall, id: string): Promise<DataSource> =>
  notion(call, { method: 'GET', path: `/v1/data_sources/${segment(id)}` }, DataSource);
export const findDatabase = (call: NotionCall, id: string): Promise<z.infer<typeof Database>> =>
  notion(call, { method: 'GET', path: `/v1/databases/${segment(id)}` }, Database);

export const typesOf = (d: DataSource): Record<string, string> =>
  Object.fromEntries(Object.entries(d.properties).map(([name, p]) => [name, p.type]));
export const dataSourceTitle = (d: DataSource): string => plainOf(d.title ?? []) || '(no title)';

/** What is published to the web is written to only where an administrator has said so: everybody can read it, at once. */
function checkPublic(call: NotionCall, of: { public_url?: string | null | undefined }, name: string): void {
  if (!of.public_url || notionSettings(call.settings).write_public) return;
  throw new Problem('forbidden', 'connectors/notion-public', {
    says: `${name} is published to the web (${of.public_url}), and this connector writes only to what is not`,
    fix: 'an administrator can set write_public of the Notion connector',
  });
}

/** A page that may be written to. */
export async function openPage(call: NotionCall, id: string): Promise<Page> {
  const page = await findPage(call, id);
  checkPublic(call, page, `the page ${titleOf(page.properties)}`);
  return page;
}

/** A data source whose database may be written to. */
export async function openDataSource(call: NotionCall, id: string): Promise<DataSource> {
  const source = await findDataSource(call, id);
  const database = source.parent?.database_id;
  if (database !== undefined) {
    // The database may be hidden from the integration where only the data source is shared.
    const found = await findDatabase(call, database).catch((e: unknown) => {
      if (e instanceof VendorRefusal && e.status === 404) return undefined;
      throw e;
    });
    if (found) checkPublic(call, found, `the database ${dataSourceTitle(source)}`);
  }
  return source;
}
