import { type Run, run as runProgram } from '@kannuki/core';
import { type OpenVault, openVault, type VaultDrivers } from '@kannuki/keyvault';
import { AgentStore } from '../agent/agent-store.ts';

/**
 * Opens a vault as a VM sees it: `https://NAME.SUFFIX/` through the server that this VM has joined, with the VM's own
 * certificate; `embedded:///DIR?vault=NAME` for a folder that is on no disk of this VM; what `openVault` knows besides.
 * @throws KannukiError KNK-KVT-0015, KNK-KVT-0016
 */
export async function openGuestVault(
  url: string,
  run: Run = runProgram,
  drivers: VaultDrivers = {},
): Promise<OpenVault> {
  const isOnLocalDisk = (directory: string): Promise<boolean> => liesOnBlockDevice(directory, run);
  const store = new AgentStore();
  const membership = await store.membership();
  const identity = await store.identity();
  if (membership === undefined || identity === undefined) return openVault(url, { isOnLocalDisk, drivers });
  const { pem, authority } = identity;
  const connection = { serverUrl: membership.serverUrl, authority, certificate: pem.bytes, privateKey: pem.bytes };
  return openVault(url, { isOnLocalDisk, connection, drivers });
}

interface FindmntReply {
  readonly filesystems: readonly { readonly source: string }[];
}

async function liesOnBlockDevice(directory: string, run: Run): Promise<boolean> {
  const { stdout } = await run('findmnt', ['--json', '--output', 'SOURCE', '--target', directory]);
  return (JSON.parse(stdout) as FindmntReply).filesystems.some(({ source }) => source.startsWith('/dev/'));
}
