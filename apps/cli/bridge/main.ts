import { bridge } from './bridge.ts';

// A sign-in that nobody finishes must not keep a program without a client.
process.exit(await bridge(process.argv.slice(2)));
