import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { argv } from 'node:process';
import { DatabaseSync } from 'node:sqlite';

/**
 * Rekeys a vault and kills itself before the Nth thing that it does to a file: `rekey-child.ts FOLDER N`. With 0 it comes
 * to its end and prints how many there are. The program itself is the real one: only these calls are counted on the way.
 */
const [, , folder = '', at = '0'] = argv;
let counting = false;
let steps = 0;

function step(): void {
  if (!counting) return;
  steps += 1;
  if (steps === Number(at)) process.kill(process.pid, 'SIGKILL');
}

/** What is between these leaves nothing on the disk that would last without the next of them. */
// biome-ignore lint/suspicious/noExplicitAny: any method of any of these
function counted(owner: any, name: string, counts: (argument: unknown) => boolean = () => true): void {
  const real = owner[name];
  owner[name] = function (this: unknown, ...args: unknown[]) {
    if (counts(args[0])) step();
    return real.apply(this, args);
  };
}

const someFile = await fsPromises.open(argv[1] ?? '', 'r');
for (const name of ['sync', 'writeFile']) counted(Object.getPrototypeOf(someFile), name);
await someFile.close();
for (const name of ['rename', 'rm']) counted(fsPromises, name);
counted(DatabaseSync.prototype, 'exec', (sql) => /COMMIT|checkpoint/.test(String(sql)));
syncBuiltinESMExports();

const { EmbeddedVaults } = await import('../embedded/embedded-vaults.ts');
const vaults = await EmbeddedVaults.open({
  databaseFile: join(folder, 'vault.db'),
  rootKeyFile: join(folder, 'root.key'),
  create: false,
});
counting = true;
await vaults.rekey({ kind: 'file' });
counting = false;
await vaults.close();
process.stdout.write(String(steps));
