import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type Finding, KannukiError, type Run } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { probeFileSystem } from './mounting.ts';
import type { EnginePaths } from './paths.ts';
import { volumeName } from './volume-name.ts';

interface R {
  targets: readonly string[];
  stopServices: boolean;
  run: Run;
  paths: EnginePaths;
  vaultUri?: string;
  kekId?: string | null;
  keyVolumeUuid?: string | null;
}
export async function planEncryption(r: R): Promise<{ findings: readonly Finding[]; journals: readonly Journal[] }> {
  const journals: Journal[] = [];
  for (const target of r.targets) {
    const m = JSON.parse((await r.run('findmnt', ['--json', '-o', 'SOURCE,FSTYPE,TARGET', target])).stdout)
      .filesystems[0];
    const d = JSON.parse((await r.run('lsblk', ['--json', '-b', '-o', 'PATH,SIZE,SERIAL', m.source])).stdout)
      .blockdevices[0];
    const fs = await probeFileSystem(r.run, m.source);
    const line = (await readFile(r.paths.fstab, 'latin1'))
      .split('\n')
      .find((l) => !l.startsWith('#') && l.split(/\s+/)[1] === m.target);
    if (fs === undefined || line === undefined) throw new KannukiError('KNK-VOL-0007', { details: { target } });
    const f = line.trim().split(/\s+/);
    journals.push({
      version: 1,
      name: volumeName(m.target),
      operation: 'encrypt',
      step: 'planned',
      device: { path: d.path, sizeBytes: d.size, serial: d.serial },
      fileSystem: fs,
      mount: { point: m.target, options: f[3] ?? 'defaults', dump: 0, pass: Number(f[5] ?? 0), originalLine: line },
      header: { sectorSize: 4096, resilience: 'journal' },
      vaultUri: r.vaultUri ?? '',
      kekId: r.kekId ?? null,
      secretName: randomUUID(),
      keyFileName: 'LinuxPassPhraseFileName',
      keySource: r.keyVolumeUuid ? 'key-volume' : 'vault',
      keyVolumeUuid: r.keyVolumeUuid ?? null,
      passphrase: null,
      headerRecord: null,
      luksUuid: null,
      stopServices: r.stopServices,
      stoppedUnits: [],
      downtimeSeconds: null,
    });
  }
  return { findings: [], journals };
}
