import { readFileSync } from 'node:fs';
import { KannukiError, run } from '@kannuki/core';
import { type ChooseTuning, openGuestVault, plainTuning, VolumeEngine } from '@kannuki/guest';
import { DyingVault, type WayOfDying } from '../../faults/dying-vault.ts';
import {
  attachPartitions,
  bootState,
  dataDevice,
  dataMountPoint,
  enterDataInFstab,
  makeFileSystems,
  type SmallVm,
} from '../../power-cut/small-vm.ts';
import { diskHash } from '../disk-hash.ts';
import { labInput, labResult } from '../inside.ts';

/** Inside a lab machine: the vault dies at its first call, then at its second, and so on; what does the disk look like? */
export interface EscrowInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
  readonly kekId: string | null;
}

export interface EscrowAttempt {
  readonly dies: WayOfDying;
  readonly atCall: number;
  readonly call: string;
  readonly code: string | null;
  readonly diskIsUnchanged: boolean;
  readonly filesAreUnchanged: boolean;
  readonly state: string;
}

const input = await labInput<EscrowInput>();
await attachPartitions(input.vm, false);
await makeFileSystems('ext4');
await bootState();
await enterDataInFstab('ext4');
const vault = await openGuestVault(input.vaultUrl);

const attempts: EscrowAttempt[] = [];
for (const dies of ['before', 'after'] as const) {
  for (let atCall = 1; ; atCall++) {
    const attempt = await tryWith(dies, atCall);
    if (attempt === 'not-reached' || attempt.state !== 'NotEncrypted') {
      if (attempt !== 'not-reached') attempts.push(attempt);
      break;
    }
    attempts.push(attempt);
  }
  if (dies === 'before') await backToPlain();
}
labResult(attempts);

async function tryWith(dies: WayOfDying, atCall: number): Promise<EscrowAttempt | 'not-reached'> {
  const before = { disk: await diskHash(dataDevice), files: entries() };
  const dying = new DyingVault(vault, dies, atCall);
  let code: string | null = null;
  try {
    // Measuring for the tuning has no part in it, and this encrypts twenty times.
    const chooseTuning: ChooseTuning = async () => ({ tuning: plainTuning(4096), findings: [] });
    await new VolumeEngine({ chooseTuning }).encrypt(dataMountPoint, {
      vault: dying,
      kekId: input.kekId,
      stopServices: false,
    });
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    code = error.code;
  }
  if (!dying.wasReached) return 'not-reached';
  const volume = (await new VolumeEngine().list()).find(({ mountPoint }) => mountPoint === dataMountPoint);
  return {
    dies,
    atCall,
    call: dying.lastCall,
    code,
    diskIsUnchanged: (await diskHash(dataDevice)) === before.disk,
    filesAreUnchanged: entries() === before.files,
    state: volume?.state ?? 'NotMounted',
  };
}

/** The last attempt of a round ends behind the escrow, with the volume mapped: make the volume anew for the next round. */
async function backToPlain(): Promise<void> {
  const [journal] = await new VolumeEngine().journals();
  await run('umount', [dataMountPoint]);
  if (journal !== undefined) await run('cryptsetup', ['close', journal.name]);
  await run('rm', ['-rf', '/var/lib/kannuki', '/etc/kannuki', '/etc/crypttab']);
  await run('cp', ['/etc/fstab.azure.backup', '/etc/fstab']);
  await run('mount', ['-t', 'ext4', dataDevice, dataMountPoint]);
}

function entries(): string {
  return ['/etc/fstab', '/etc/crypttab']
    .map((path) => readFileSync(path, { encoding: 'latin1', flag: 'a+' }))
    .join('\n--\n');
}
