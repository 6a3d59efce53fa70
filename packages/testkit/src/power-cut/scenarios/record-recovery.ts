import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labInput, labResult } from '../../lab/inside.ts';
import { attachPartitions, bootState, detachRecorder, leaveData, leaveState, mark, type SmallVm } from '../small-vm.ts';

/** Inside a fresh lab machine: a boot after a power cut, on record up to the open volume, for a second cut in the middle of it. */
export interface RecordRecoveryInput {
  readonly vm: SmallVm;
  readonly vaultUrl: string;
}

const { vm, vaultUrl } = await labInput<RecordRecoveryInput>();
await attachPartitions(vm, true);
await bootState();
await using vault = await openGuestVault(vaultUrl);
await mark('unlock-begin');
await new VolumeEngine().unlock(() => vault);
await mark('unlock-end');
await leaveData();
await leaveState();
await detachRecorder();
labResult(null);
