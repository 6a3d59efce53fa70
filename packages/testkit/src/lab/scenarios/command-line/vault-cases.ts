import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { SecretBytes } from '@kannuki/core';
import { AgentStore } from '@kannuki/guest';
import type { Arranged, BadInput } from './case.ts';

/** PEM texts of a membership that was real once: made for this test, and no server answers to it. */
export interface LostServer {
  readonly privateKey: string;
  readonly certificate: string;
  readonly authority: string;
}

/** Keys that the test has put into the lab's vault beside `kek`. */
export const badKeks = { wrapOnly: 'wrap-only', disabled: 'disabled' } as const;

/** What is wrong with the vault, the key in it, or the way to it. */
export function vaultCases(lostServer: LostServer): readonly BadInput[] {
  const unusableKek = { exitCode: 10, errorCode: 'KNK-KVT-0005', rules: ['REQ-068'] };
  return [
    {
      name: 'vault unreachable',
      vault: 'https://lab.vault.localhost/',
      arrange: () => memberOf(lostServer),
      expects: { exitCode: 69, errorCode: 'KNK-KVT-0001' },
    },
    {
      name: 'a vault behind a server that this machine has not joined',
      vault: 'https://lab.vault.localhost/',
      expects: { exitCode: 2, errorCode: 'KNK-KVT-0015' },
    },
    { name: 'a KEK that may not unwrap', kek: badKeks.wrapOnly, expects: unusableKek },
    { name: 'a disabled KEK', kek: badKeks.disabled, expects: unusableKek },
    { name: 'a KEK that is not there', kek: 'none', expects: { exitCode: 3, errorCode: 'KNK-KVT-0003' } },
    {
      name: 'a vault on a disk of this machine',
      vault: 'embedded:///var/lib/vault?vault=lab',
      arrange: vaultBesideItsLock,
      expects: { exitCode: 10, errorCode: 'KNK-KVT-0016', rules: ['REQ-061'] },
    },
    {
      name: 'a folder without a vault',
      vault: 'embedded:///mnt/keep/empty?vault=lab',
      arrange: emptyFolder,
      expects: { exitCode: 78, errorCode: 'KNK-KVT-0013' },
    },
  ];
}

/** Nothing listens on this port: 1 is tcpmux, RFC 1078. */
const deadServer = 'https://127.0.0.1:1';

async function memberOf({ privateKey, certificate, authority }: LostServer): Promise<Arranged> {
  const store = new AgentStore();
  using key = SecretBytes.copy(Buffer.from(privateKey));
  await store.join({ serverUrl: deadServer, vmId: 'vm-lab' }, { privateKey: key, certificate, authority });
  return { undo: async () => rmSync(store.folder, { recursive: true }) };
}

async function vaultBesideItsLock(): Promise<Arranged> {
  cpSync('/mnt/keep/vault', '/var/lib/vault', { recursive: true });
  return { undo: async () => rmSync('/var/lib/vault', { recursive: true }) };
}

async function emptyFolder(): Promise<Arranged> {
  mkdirSync('/mnt/keep/empty');
  return { undo: async () => rmSync('/mnt/keep/empty', { recursive: true }) };
}
