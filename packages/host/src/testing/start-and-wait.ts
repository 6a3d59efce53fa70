import { Host } from '../host.ts';

/** A server in small: starts a machine, says so, and then is there until it is killed. Arguments: data directory, VM. */
const [dataDirectory, name] = process.argv.slice(2);
if (dataDirectory === undefined || name === undefined) throw new Error('arguments: data directory, VM');
const host = new Host({ dataDirectory, accelerator: 'tcg' });
const status = await host.start(name);
process.stdout.write(`${status.processId}\n`);
setInterval(() => undefined, 60_000);
