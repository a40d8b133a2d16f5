import { writeFileSync } from 'node:fs';
import pg from 'pg';
import { testDb } from '#dev/test-db.ts';
import { tokensCss } from '@gatehouse/ui/write-tokens.ts';
import { describeSchema } from './describe-schema.ts';
import { clientFiles, generated } from './generated.ts';

// `npm run gen`: writes what the walls check.
await using t = await testDb();
const client = new pg.Client({ connectionString: t.superUrl });
await client.connect();
writeFileSync(new URL('../schema/schema.sql', import.meta.url), await describeSchema(client));
await client.end();
for (const [name, text] of Object.entries(generated()))
  writeFileSync(new URL(`../../docs/generated/${name}`, import.meta.url), text);
for (const [name, text] of Object.entries(clientFiles()))
  writeFileSync(new URL(`../../packages/client/generated/${name}`, import.meta.url), text);
writeFileSync(new URL('../kernel/page/tokens.css', import.meta.url), tokensCss());
