import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../packages/testkit/src/lab/scratch.ts';
import { LabError } from '../packages/testkit/src/lab/uml.ts';
import { QemuScenarioMachine } from '../packages/testkit/src/qemu/scenario-machine.ts';
import { type Figure, median, round } from './figure.ts';
import type { FourVolumesInput, FourVolumesRound } from './scenarios/four-volumes.ts';

const disks = 4;

/**
 * Four volumes on four disks by one command, beside the same one after the other, turn and turn about: in QEMU with two processors, since
 * user-mode Linux has one. The processors are emulated where there is no KVM; both sides are equally slow then.
 */
export async function fourVolumesFigures({ quick }: { readonly quick: boolean }): Promise<readonly Figure[]> {
  const mebibytes = quick ? 160 : 320;
  const folder = mkdtempSync(join(scratch(), 'kannuki-four-'));
  try {
    const images = Array.from({ length: disks }, (_, index) => join(folder, `${index}.img`));
    for (const image of images) {
      writeFileSync(image, '');
      truncateSync(image, mebibytes * 1024 * 1024);
    }
    const machine = await QemuScenarioMachine.start({
      scenario: join(import.meta.dirname, 'scenarios/four-volumes.ts'),
      input: { rounds: quick ? 1 : 2 } satisfies FourVolumesInput,
      disks: images,
      cpus: 2,
      memoryMiB: 1536,
      timeoutSeconds: 1800,
    });
    const { exitCode, result, log } = await machine.finish<readonly FourVolumesRound[]>();
    if (exitCode !== 0) throw new LabError(`the scenario ended with ${exitCode}\n${log}`);
    const ratio = median(result.map(({ inTurnSeconds, togetherSeconds }) => inTurnSeconds / togetherSeconds));
    return [
      {
        name: `${disks} volumes of ${mebibytes} MiB on ${disks} disks, 2 processors, whole command`,
        value: round(median(result.map(({ togetherSeconds }) => togetherSeconds))),
        unit: 's',
        rival: 'the same one after the other',
        rivalValue: round(median(result.map(({ inTurnSeconds }) => inTurnSeconds))),
        ratio: round(ratio),
        target: { atLeast: 1.6 },
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
