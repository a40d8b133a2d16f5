import { test } from 'node:test';
import assert from 'node:assert/strict';
import { vendorFlow } from '#dev/vendor-flow.ts';
import { startSalesforce } from '#dev/vendors/salesforce.ts';
import { salesforceManifest } from './manifest.ts';

for (const rotation of [false, true])
  test(`Salesforce goes all the way, with refresh tokens that ${rotation ? 'rotate' : 'stay'}`, (t) =>
    vendorFlow(t, {
      manifest: salesforceManifest,
      open: async () => Object.assign(await startSalesforce(), { rotation }),
      read: {
        tool: 'soql_query',
        args: { objects: ['Account'], query: 'SELECT Name FROM Account ORDER BY Name' },
        says: /Account Name: Acme/,
      },
      write: {
        tool: 'create_record',
        args: { object: 'Account', fields: { Name: 'Made by an agent' } },
        says: /created Account 001/,
        then: (vendor) => assert.equal(vendor.world.records.at(-1)!['Name'], 'Made by an agent'),
      },
    }));
