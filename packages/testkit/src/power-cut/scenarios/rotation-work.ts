import { cpSync, mkdirSync } from 'node:fs';
import { run } from '@kannuki/core';
import { openGuestVault, VolumeEngine } from '@kannuki/guest';
import type { VaultPort } from '@kannuki/keyvault';
import { labInput, labResult } from '../../lab/inside.ts';
import { fileContent, writePromised } from '../files.ts';
import { Random } from '../random.ts';
import { rotationNamed } from '../rotations.ts';
import {
  attachPartitions,
  bootState,
  dataMountPoint,
  detachRecorder,
  leaveState,
  mark,
  type SmallVm,
} from '../small-vm.ts';

/** Inside a lab machine: one whole rotation on record, while a program writes to the volume. */
export interface RotationWorkInput {
  readonly vm: SmallVm;
  readonly seed: number;
  readonly fileSystem: 'ext4' | 'xfs';
  readonly operation: string;
  readonly vaultUrl: string;
}

const input = await labInput<RotationWorkInput>();
await attachPartitions(input.vm, true);
await bootState();
await using vault = await openGuestVault(input.vaultUrl);
await new VolumeEngine().unlock(() => vault);
await mark('begin');
let stopped = false;
const writing = write(new Random(input.seed));
const marks: Promise<void>[] = [];
const engine = new VolumeEngine({
  onEvent: (event) => {
    if (event.kind === 'step') marks.push(mark(`step:${event.step}`));
  },
});
await rotationNamed(input.operation).work({
  fileSystem: input.fileSystem,
  point: dataMountPoint,
  vault: withCopies(vault),
  kekId: null,
  engine,
  mark,
  forgetFiles: async () => {},
});
stopped = true;
await Promise.all([writing, ...marks]);
await mark('end');
const [journal] = await engine.journals();
await run('umount', [dataMountPoint]);
await run('cryptsetup', ['close', journal?.name ?? '']);
await leaveState();
await detachRecorder();
labResult(journal?.step ?? null);

async function write(random: Random): Promise<void> {
  for (let count = 0; !stopped; count++) {
    const content = fileContent(random, random.between(1, 32768));
    const { path, sha256 } = await writePromised(`${dataMountPoint}/new`, `w${count}`, content);
    await mark(`file:${sha256}:${path}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * Keeps a copy of the vault after each change and puts its number on record: a boot after a cut finds the vault as it was at the
 * cut. One that lies between a change and its mark gets the copy before, as if the power had gone before the call.
 */
function withCopies(plain: VaultPort): VaultPort {
  let count = 0;
  mkdirSync('/mnt/keep/vaults', { recursive: true });
  return {
    vaultUri: plain.vaultUri,
    ...(plain.wrapAlgorithms === undefined ? {} : { wrapAlgorithms: plain.wrapAlgorithms }),
    keyInfo: (keyId) => plain.keyInfo(keyId),
    wrapKey: (keyId, algorithm, value) => plain.wrapKey(keyId, algorithm, value),
    unwrapKey: (keyId, algorithm, wrapped) => plain.unwrapKey(keyId, algorithm, wrapped),
    getSecret: (secretId) => plain.getSecret(secretId),
    async setSecret(name, value, attributes) {
      const made = await plain.setSecret(name, value, attributes);
      count += 1;
      cpSync('/mnt/keep/vault', `/mnt/keep/vaults/${count}`, { recursive: true });
      await mark(`vault:${count}`);
      return made;
    },
  };
}
