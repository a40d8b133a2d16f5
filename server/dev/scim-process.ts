// A node that serves SCIM over a test's database, in a process of its own, so that a test can kill it: `scim-process.ts <database url>`.
// Prints its address when it listens.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { connect } from '#kernel/db.ts';
import { silentLog } from '#kernel/log.ts';
import { mount } from '#kernel/operation.ts';
import { scimDialect } from '#directory/scim-dialect.ts';
import { scimGate } from '#directory/scim-gate.ts';
import { scimOperations } from '#directory/scim.http.ts';
import { admission } from '#provisioning/admission.ts';
import { testWorld } from './test-world.ts';

const url = process.argv[2] ?? '';
const world = await testWorld(connect({ url, role: 'gatehouse_app', log: silentLog }));
const app = new Hono();
mount(
  app,
  { prefix: '/scim/v2/:directory', gate: scimGate(world, admission), dialect: scimDialect, operations: scimOperations },
  silentLog,
);
serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => console.log(`http://127.0.0.1:${port}`));
