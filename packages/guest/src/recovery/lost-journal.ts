import { access } from 'node:fs/promises';
import { KannukiError, type Run } from '@kannuki/core';
import { defaultKeyFileName, isWrapAlgorithm, type VaultPort } from '@kannuki/keyvault';
import { type EnginePaths, headerPath } from '../volumes/paths.ts';
import { refusal, refuseIfAny } from './refusal.ts';
import type { RebuildSubject } from './subject.ts';

interface LostJournal {
  /** Of the passphrase, with or without version. */
  readonly secretId: string;
  readonly device: string;
  readonly vault: VaultPort;
  readonly run: Run;
  readonly paths: EnginePaths;
}

interface LsblkReply {
  readonly blockdevices: readonly { readonly path: string; readonly size: number }[];
}

/**
 * What can be known of a volume whose journal is lost too: its secret says how the passphrase is wrapped, and the header
 * record lies beside it under the same name with `-header`; its tags have the volume's name. How far a conversion had come
 * nobody knows then but the disk.
 * @throws KannukiError KNK-KVT-0014 for a secret that is not a passphrase of ours, KNK-VOL-0100 without such a device
 */
export async function subjectFromSecret({ secretId, device, vault, run, paths }: LostJournal): Promise<RebuildSubject> {
  const passphrase = await vault.getSecret(secretId);
  passphrase.value[Symbol.dispose]();
  const { contentType, tags } = passphrase;
  const algorithm = tags.DiskEncryptionKeyEncryptionAlgorithm ?? '';
  const kekId = tags.DiskEncryptionKeyEncryptionKeyURL ?? null;
  const isOurs = contentType === 'BEK' || (contentType === 'Wrapped BEK' && kekId !== null);
  if (!isOurs || !isWrapAlgorithm(algorithm)) {
    throw notOurs(vault, 'the secret is not the passphrase of a disk');
  }
  const record = await vault.getSecret(recordIdOf(vault, passphrase.id));
  record.value[Symbol.dispose]();
  const name = record.tags.VolumeName ?? '';
  // It becomes the name of a file: nothing that a vault says may lead out of the folder.
  if (record.contentType === null || !/^[A-Za-z0-9_]{1,64}$/.test(name)) throw notOurs(vault, 'no header record');
  const found = await deviceOf(device, run);
  const keyFileName = tags.DiskEncryptionKeyFileName ?? defaultKeyFileName;
  const header = headerPath(paths, name);
  await refuseJournal(name, paths);
  return {
    name,
    header,
    device: { path: found.path, sizeBytes: found.size },
    luksUuid: record.tags.LuksUuid ?? null,
    use: null,
    disk: 'plain-to-cipher',
    passphrase: {
      secretId: passphrase.id,
      kekId: contentType === 'BEK' ? null : kekId,
      algorithm,
      contentType,
      keyFileName,
    },
    headerRecord: { secretId: record.id, contentType: record.contentType },
  };
}

/** `…/secrets/NAME/VERSION` → `…/secrets/NAME-header` */
function recordIdOf(vault: VaultPort, passphraseId: string): string {
  const base = /^(.*\/secrets\/[0-9A-Za-z-]+)(?:\/[0-9A-Za-z]+)?$/.exec(passphraseId)?.[1];
  if (base === undefined) throw notOurs(vault, 'the id of the secret');
  return `${base}-header`;
}

async function deviceOf(device: string, run: Run): Promise<LsblkReply['blockdevices'][number]> {
  const words = ['--json', '--bytes', '--nodeps', '--output', 'PATH,SIZE', '--', device];
  const { exitCode, stdout } = await run('lsblk', words, { accept: [0, 1, 32] });
  const [found] = exitCode === 0 ? (JSON.parse(stdout) as LsblkReply).blockdevices : [];
  if (found === undefined) throw new KannukiError('KNK-VOL-0100', { details: { target: device } });
  return found;
}

/** With a journal more is known, and it has to count. */
async function refuseJournal(name: string, paths: EnginePaths): Promise<void> {
  const journal = `${paths.state}/volumes/${name}.json`;
  try {
    await access(journal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  refuseIfAny('KNK-VOL-0201', name, [
    refusal(
      journal,
      { en: 'this volume has a journal', ja: 'このボリュームにはジャーナルがあります' },
      {
        en: `\`kannuki disk recover ${name} --rebuild-header\`, without --secret`,
        ja: `--secret を付けずに \`kannuki disk recover ${name} --rebuild-header\` を実行してください`,
      },
    ),
  ]);
}

function notOurs(vault: VaultPort, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0014', { details: { vault: vault.vaultUri, reason } });
}
