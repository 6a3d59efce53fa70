import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { VolumeEngine } from '@kannuki/guest';
import type { FaultVm } from './fault-vm.ts';
import type { WorkerInput } from './scenarios/worker.ts';

/** For the machine of a scenario that calls `runWorker`. */
export const workerProgram = { worker: join(import.meta.dirname, 'scenarios/worker.ts') };

/** Inside a lab machine: a process of its own does an operation, or goes on with it, until it is killed. */
export async function runWorker(
  vm: FaultVm,
  { operation, dieAt, dieOf, vaultUrl, kekId }: WorkerInput,
): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  await vm.closeVault();
  const node = [process.execPath, '--disable-warning=ExperimentalWarning', '/mnt/lab/worker.mjs'];
  // The kernel's first choice when memory is out.
  const child = spawn('choom', ['--adjust=1000', '--', ...node], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      WORK: JSON.stringify({ operation, dieAt, dieOf, vaultUrl, kekId } satisfies WorkerInput),
      PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    },
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return { code, signal };
}

/** What the killed process had started holds the volume's lock until it has ended. */
export async function endOfOrphans(): Promise<void> {
  for (const { name } of await new VolumeEngine().journals()) {
    await run('flock', ['--exclusive', `/run/kannuki/locks/volume-${name}.lock`, 'true'], { timeoutSeconds: 300 });
  }
}
