import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@kannuki/core';
import { machineFiles } from '../machine-store.ts';

/** Makes the key pair that opens this machine, and no other, as root. */
export async function makeSshKey(folder: string, name: string): Promise<void> {
  const path = join(folder, machineFiles.sshKey);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `kannuki ${name}`, '-f', path]);
}

export async function readPublicKey(folder: string): Promise<string> {
  return await readFile(join(folder, `${machineFiles.sshKey}.pub`), 'utf8');
}

/** Arguments of ssh(1) up to and with the destination; nothing of the caller's own ssh configuration takes part. */
export function sshArguments(folder: string, name: string, port: number): readonly string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: '5',
    // The VM makes its host key at its first boot; from then on it has to be that key.
    StrictHostKeyChecking: 'accept-new',
    UserKnownHostsFile: `"${join(folder, machineFiles.knownHosts)}"`,
    HostKeyAlias: name,
    IdentitiesOnly: 'yes',
    LogLevel: 'ERROR',
    ServerAliveInterval: '10',
    ServerAliveCountMax: '6',
  };
  return [
    ['-F', 'none', '-i', join(folder, machineFiles.sshKey), '-p', String(port)],
    ...Object.entries(options).flatMap(([key, value]) => ['-o', `${key}=${value}`]),
    'root@127.0.0.1',
  ].flat();
}
