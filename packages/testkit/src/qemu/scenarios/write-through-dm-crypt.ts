import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { run, SecretBytes } from '@kannuki/core';
import { labDisks, labInput, labResult, labTell } from '../../lab/inside.ts';

/** `write` makes an encrypted file system and writes files until the power goes; `check` opens it and hashes them. */
export interface ThroughDmCrypt {
  readonly part: 'write' | 'check';
  /** Only the lab's: it opens a disk of noise. */
  readonly passphrase: string;
}

const { part, passphrase } = await labInput<ThroughDmCrypt>();
const [disk = ''] = labDisks();
const secret = (): SecretBytes => SecretBytes.take(Buffer.from(passphrase));
const at = '/mnt/through';
mkdirSync(at, { recursive: true });

if (part === 'write') {
  await run(
    'cryptsetup',
    ['luksFormat', '--batch-mode', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000', '--key-file=-', disk],
    {
      input: secret(),
    },
  );
}
await run('cryptsetup', ['open', '--key-file=-', disk, 'through'], { input: secret() });
if (part === 'write') {
  await run('mkfs.ext4', ['-q', '/dev/mapper/through']);
  await run('mount', ['/dev/mapper/through', at]);
  for (let number = 0; ; number++) {
    const content = randomBytes(20_000);
    const file = openSync(`${at}/${number}`, 'wx');
    writeSync(file, content);
    fsyncSync(file);
    closeSync(file);
    const folder = openSync(at, 'r');
    fsyncSync(folder);
    closeSync(folder);
    labTell(`file:${number}:${createHash('sha256').update(content).digest('hex')}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
await run('mount', ['/dev/mapper/through', at]);
const names = readdirSync(at).filter((name) => /^\d+$/.test(name));
labResult(
  Object.fromEntries(
    names.map((name) => [
      name,
      createHash('sha256')
        .update(readFileSync(`${at}/${name}`))
        .digest('hex'),
    ]),
  ),
);
await run('umount', [at]);
await run('cryptsetup', ['close', 'through']);
