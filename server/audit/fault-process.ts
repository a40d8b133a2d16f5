import { writeSync } from 'node:fs';
import { connect } from '#kernel/db.ts';
import { silentLog } from '#kernel/log.ts';
import { faultPoints, type FaultPoint } from './sequence-log.ts';
import { startSequencer } from './sequencer.ts';
import { fileWitness } from './witness.ts';

/**
 * A sequencer in a process of its own, for sequencer-faults.test.ts to kill. At the named point, the n-th time it gets there, it says so
 * and stands still for ever: the statement before was carried out, the one after was not sent.
 * Arguments: url, witness folder, key seed, fault point, n, batch, publishing interval.
 */
const [url = '', folder = '', seed = '', point = '', nth = '1', batch = '40', publish = '1'] = process.argv.slice(2);
let left = Number(nth);
const stopAt: FaultPoint | undefined = faultPoints.find((p) => p === point);

startSequencer({
  world: {
    db: connect({ url, role: 'gatehouse_sequencer', log: silentLog, max: 2 }),
    log: silentLog,
    seal: {
      seal: () => Promise.reject(new Error('not here')),
      open: () => Promise.reject(new Error('not here')),
      derive: () => Buffer.from(seed, 'hex'),
      get keys(): never {
        throw new Error('not here');
      },
    },
    origin: 'http://localhost:0',
    now: () => new Date(),
  },
  witness: fileWitness(folder),
  batch: Number(batch),
  gather: 1,
  poll: 10,
  publish: Number(publish),
  pauseAt: async (at) => {
    if (at !== stopAt || --left > 0) return;
    writeSync(1, `${at}\n`);
    await new Promise(() => undefined);
  },
});
