import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { SecretBytes } from '@kannuki/core';
import type { Pkcs11TokenOptions } from '../pkcs11/token.ts';
import type { ScratchFolder } from './scratch-vaults.ts';

const run = promisify(execFile);

/** Where Debian's softhsm2 puts it. */
export const softHsmModule = '/usr/lib/softhsm/libsofthsm2.so';
export const softTokenPin = 'PIN-canary-271828';

/**
 * A fresh SoftHSM token in a folder of its own. SoftHSM reads its configuration once a process, when the module is
 * initialised: one token folder at a time, and no module open from before.
 */
export async function makeSoftToken(folder: ScratchFolder, tokenLabel = 'kannuki test'): Promise<Pkcs11TokenOptions> {
  const tokens = folder.file('tokens');
  await mkdir(tokens, { recursive: true, mode: 0o700 });
  const configuration = folder.file('softhsm2.conf');
  await writeFile(configuration, `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`);
  process.env.SOFTHSM2_CONF = configuration;
  const words = ['--init-token', '--free', '--label', tokenLabel, '--so-pin', 'so-pin-1234', '--pin', softTokenPin];
  await run('softhsm2-util', words, { env: { PATH: '/usr/bin:/bin', SOFTHSM2_CONF: configuration } });
  return {
    modulePath: softHsmModule,
    tokenLabel,
    pin: async () => SecretBytes.take(Buffer.from(softTokenPin)),
  };
}
