import { tunnel } from './tunnel.ts';

process.exit(await tunnel(process.argv.slice(2)));
