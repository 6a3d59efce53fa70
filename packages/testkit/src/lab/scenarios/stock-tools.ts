import { run } from '@kannuki/core';
import { damagedFiles, type PromisedFile } from '../../power-cut/files.ts';
import { attachPartitions, dataDevice, type SmallVm } from '../../power-cut/small-vm.ts';
import { labInput, labResult } from '../inside.ts';

/**
 * Inside a lab machine that knows nothing of Kannuki: cryptsetup, mount, a copy of the header and the passphrase that
 * someone took from the vault. This file must import nothing of guest, keyvault or formats.
 */
export interface StockToolsInput {
  readonly vm: SmallVm;
  readonly promised: readonly PromisedFile[];
}

export interface StockToolsResult {
  readonly damaged: readonly string[];
  readonly mappedAs: string;
}

const input = await labInput<StockToolsInput>();
await attachPartitions(input.vm, false);
await run('mkdir', ['-p', '/run/os', '/srv/data0']);
await run('mount', ['-o', 'ro', '/dev/mapper/vm-state', '/run/os']);
await run('cp', ['/run/os/lib/kannuki/headers/kn_srv_data0.luks', '/run/header.luks']);
await run('cryptsetup', [
  'open',
  '--header',
  '/run/header.luks',
  '--key-file',
  '/mnt/keep/passphrase',
  dataDevice,
  'rescued',
]);
await run('dmsetup', ['mknodes']);
await run('mount', ['/dev/mapper/rescued', '/srv/data0']);
const { stdout } = await run('findmnt', ['--json', '--output', 'SOURCE', '/srv/data0']);
const { filesystems } = JSON.parse(stdout) as { filesystems: readonly { readonly source: string }[] };
labResult({ damaged: damagedFiles(input.promised), mappedAs: filesystems[0]?.source ?? '' } satisfies StockToolsResult);
