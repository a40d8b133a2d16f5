import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { testDirectory, type TestDirectory } from './test-directory.ts';

/** Our own SCIM server on a port of the loopback address, over a database of its own. */
export async function listeningDirectory(): Promise<{
  url: string;
  token: string;
  directory: TestDirectory;
  /** Method and path of what came. */
  requests: string[];
  close(): Promise<void>;
}> {
  const directory = await testDirectory();
  const requests: string[] = [];
  const listener = getRequestListener(directory.app.fetch, { overrideGlobalObjects: false });
  const server = createServer((req, res) => {
    requests.push(`${req.method} ${(req.url ?? '').replace(`/scim/v2/${directory.id}`, '')}`);
    void listener(req, res);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scim/v2/${directory.id}`,
    token: directory.token,
    directory,
    requests,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await directory.t.close();
    },
  };
}
