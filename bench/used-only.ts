import { join } from 'node:path';
import { makeScratchVm } from '../packages/testkit/src/lab/scratch-vm.ts';
import { runInUml } from '../packages/testkit/src/lab/uml.ts';
import { VirtioDisks } from '../packages/testkit/src/lab/virtio-disks.ts';
import { diskBytes } from '../packages/testkit/src/power-cut/small-vm.ts';
import { type Figure, round } from './figure.ts';
import { largeImages } from './large-images.ts';
import type { UsedOnlyInput, UsedOnlyResult } from './scenarios/used-only.ts';

/**
 * A virtio disk with 5 % used, by the whole command: the used space only, beside bare cryptsetup over all of it. One round, because
 * of the rival's length. So large that what is the same for every disk (processes, escrow, a measurement) does not count for much,
 * which is more than memory holds: the image lies on a disk of the host.
 */
export async function usedOnlyFigures({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const sizeGib = quick ? 2 : 48;
  const vm = { stateMiB: 112, dataMiB: sizeGib * 1024 };
  await using scratch = await makeScratchVm(vm, largeImages(diskBytes(vm)));
  await using virtio = await VirtioDisks.start(scratch.folder, [scratch.disk], 512);
  const usedMiB = Math.round(vm.dataMiB * 0.05);
  const result = await runInUml<UsedOnlyResult>({
    scenario: join(import.meta.dirname, 'scenarios/used-only.ts'),
    input: { vm, vaultUrl: scratch.vaultUrl, kekId: scratch.kekId, usedMiB } satisfies UsedOnlyInput,
    disks: [],
    kernelArguments: virtio.kernelArguments,
    keep: scratch.keep,
    memoryMiB: 512,
    timeoutSeconds: 2400,
  });
  const steps = result.steps.map(([step, seconds]) => `${step} ${round(seconds, 1)}`).join(', ');
  const volume = `used space only: ${sizeGib} GiB ext4 with 5 % used`;
  return [
    {
      name: `${volume}, whole command (front ${Math.round(result.frontBytes / 1024 ** 2)} MiB; seconds: ${steps})`,
      value: round(result.engineSeconds),
      unit: 's',
      rival: 'cryptsetup reencrypt of the whole disk, same options',
      rivalValue: round(result.cryptsetupSeconds),
      ratio: round(result.cryptsetupSeconds / result.engineSeconds),
      target: { atLeast: 8 },
    },
    {
      name: `${volume}, downtime`,
      value: round(result.downtimeSeconds),
      unit: 's',
      rival: 'told before it began',
      rivalValue: round(result.estimatedDowntimeSeconds),
      ratio: round(result.estimatedDowntimeSeconds / result.downtimeSeconds),
      target: { atLeast: 1 },
    },
  ];
}
