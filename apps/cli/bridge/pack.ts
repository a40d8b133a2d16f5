import { readFile, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { parseArgs } from 'node:util';
import { connectorOf, serverOf } from './bridge.ts';
import { zip, type Entry } from './zip.ts';

/** All of the bridge: it imports nothing else but node. */
const parts = ['main', 'bridge', 'relay', 'mirror', 'sign-in', 'token-store', 'wire'];

/** The manifest of the bundle (MCPB 0.3). The person is asked for the address, unless it is packed in. */
export const manifestOf = (version: string, given: { url?: string | undefined; connector?: string | undefined }) => ({
  manifest_version: '0.3',
  name: 'gatehouse-bridge',
  display_name: 'Gatehouse',
  version,
  description: 'Connects this client to the tools that your organization offers through Gatehouse.',
  author: { name: 'Gatehouse' },
  license: 'Apache-2.0',
  server: {
    type: 'node',
    entry_point: 'server/main.js',
    mcp_config: {
      command: 'node',
      args: [
        '${__dirname}/server/main.js',
        '--open',
        '--url',
        '${user_config.url}',
        '--connector',
        '${user_config.connector}',
      ],
    },
  },
  tools_generated: true,
  prompts_generated: true,
  compatibility: { platforms: ['darwin', 'linux', 'win32'], runtimes: { node: '>=20.3.0' } },
  user_config: {
    url: {
      type: 'string',
      title: 'Address of your Gatehouse',
      description: 'For example https://gatehouse.example',
      required: true,
      ...(given.url === undefined ? {} : { default: given.url }),
    },
    connector: {
      type: 'string',
      title: 'Connector',
      description: 'The short name of one connector; leave it empty for all that you may use',
      required: false,
      default: given.connector ?? '',
    },
  },
});

/** The files of the bundle: plain JavaScript, and nothing to install. */
export async function bundle(given: { url?: string | undefined; connector?: string | undefined }): Promise<Buffer> {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const files = await Promise.all(
    parts.map(async (name): Promise<Entry> => {
      const source = await readFile(new URL(`./${name}.ts`, import.meta.url), 'utf8');
      const plain = stripTypeScriptTypes(source).replace(/(from '\.\/[a-z-]+)\.ts'/g, "$1.js'");
      return { name: `server/${name}.js`, body: Buffer.from(plain) };
    }),
  );
  const json = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
  return zip([
    { name: 'manifest.json', body: json(manifestOf(version, given)) },
    { name: 'package.json', body: json({ name: 'gatehouse-bridge', version, private: true, type: 'module' }) },
    ...files,
  ]);
}

/** `gatehouse bridge pack`. */
export async function pack(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { out: { type: 'string' }, url: { type: 'string' }, connector: { type: 'string' } },
  });
  if (!values.out) {
    console.error('gatehouse bridge pack needs --out, the name of the file to write, for example gatehouse.mcpb.');
    return 2;
  }
  const url = values.url === undefined ? undefined : serverOf(values.url).origin;
  await writeFile(values.out, await bundle({ url, connector: connectorOf(values.connector) }));
  console.log(`Wrote ${values.out}.`);
  return 0;
}
