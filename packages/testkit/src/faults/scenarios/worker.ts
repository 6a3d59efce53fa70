import { spawn } from 'node:child_process';
import { openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import { operationNamed } from '../../power-cut/operations.ts';
import { dataMountPoint } from '../../power-cut/small-vm.ts';

/**
 * A process that does an operation, or goes on with it, and is killed at the wanted place: a step, or `progress`. Of `memory`: another
 * program eats all that the machine has, and this one is the first that the kernel kills.
 */
export interface WorkerInput {
  readonly operation: string;
  readonly dieAt: string;
  readonly dieOf: 'SIGKILL' | 'memory';
  readonly vaultUrl: string;
  readonly kekId: string;
}

const { operation, dieAt, dieOf, vaultUrl, kekId } = JSON.parse(process.env.WORK ?? '') as WorkerInput;
await operationNamed(operation).work({
  fileSystem: 'ext4',
  point: dataMountPoint,
  vault: await openGuestVault(vaultUrl),
  kekId,
  engine: new VolumeEngine({
    chooseTuning: async () => ({ tuning: plainTuning(4096), findings: [] }),
    onEvent: (event) => {
      if ((event.kind === 'step' ? event.step : event.kind) !== dieAt) return;
      if (dieOf === 'SIGKILL') process.kill(process.pid, 'SIGKILL');
      else eatMemory();
    },
  }),
  mark: async () => {},
  forgetFiles: async () => {},
});
process.exit(0);

/** tail(1) keeps the last line whole, and this one has no end. By its adjustment it is killed after this process, not before. */
function eatMemory(): void {
  spawn('choom', ['--adjust=0', '--', 'tail', '/dev/zero'], { stdio: 'ignore', detached: true }).unref();
}
