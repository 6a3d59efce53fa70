import { writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { damagedFiles, type PromisedFile } from '../../../power-cut/files.ts';
import { dataMountPoint } from '../../../power-cut/small-vm.ts';
import { labVaultUrl } from '../../../torture/lab-vault.ts';
import { type Answer, kannuki } from './kannuki.ts';

/** What the program answers when nothing is wrong, in the order in which it is asked. */
export interface GoodPath {
  readonly testUnlockNothing: Answer;
  /** Of a volume that is not encrypted. */
  readonly testUnlockPlain: Answer;
  readonly unlockNothing: Answer;
  readonly recoverNothing: Answer;
  readonly check: Answer;
  /** With `--progress json`. */
  readonly encrypt: Answer;
  readonly list: Answer;
  readonly testUnlock: Answer;
  readonly recover: Answer;
  readonly encryptAgain: Answer;
  /** After unmounting and closing the volume. */
  readonly listLocked: Answer;
  readonly unlock: Answer;
  readonly listUnlocked: Answer;
  readonly damagedFiles: readonly string[];
  /** With a header full of zeros. */
  readonly testUnlockWithoutHeader: Answer;
}

const asJson = ['-o', 'json'];
const header = '/var/lib/kannuki/headers/kn_srv_data0.luks';

export async function goodPath(promised: readonly PromisedFile[]): Promise<GoodPath> {
  const encryption = ['disk', 'encrypt', dataMountPoint, '--vault', labVaultUrl, '--kek', 'kek', ...asJson];
  // No server names this vault's place, so every command that needs the key is told it.
  const testUnlock = ['disk', 'test-unlock', '--vault', labVaultUrl, ...asJson];
  const list = (): Promise<Answer> => kannuki('disk', 'list', ...asJson);
  return {
    testUnlockNothing: await kannuki('disk', 'test-unlock', ...asJson),
    testUnlockPlain: await kannuki('disk', 'test-unlock', dataMountPoint, ...asJson),
    unlockNothing: await kannuki('disk', 'unlock', ...asJson),
    recoverNothing: await kannuki('disk', 'recover', dataMountPoint, ...asJson),
    check: await kannuki('disk', 'check', dataMountPoint, ...asJson),
    encrypt: await kannuki(...encryption, '--progress', 'json'),
    list: await list(),
    testUnlock: await kannuki(...testUnlock),
    recover: await kannuki('disk', 'recover', dataMountPoint, ...asJson),
    encryptAgain: await kannuki(...encryption),
    listLocked: await lock().then(list),
    unlock: await kannuki('disk', 'unlock', '--vault', labVaultUrl, ...asJson),
    listUnlocked: await list(),
    damagedFiles: damagedFiles(promised),
    testUnlockWithoutHeader: await wipeHeader().then(() => kannuki(...testUnlock)),
  };
}

async function lock(): Promise<void> {
  await run('umount', [dataMountPoint]);
  await run('cryptsetup', ['close', 'kn_srv_data0']);
}

async function wipeHeader(): Promise<void> {
  writeFileSync(header, Buffer.alloc(16 * 1024 * 1024));
}
