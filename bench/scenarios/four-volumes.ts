import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { run } from '@kannuki/core';
import { inPlace, openGuestVault, VolumeEngine } from '@kannuki/guest';
import { labDisks, labInput, labResult } from '../../packages/testkit/src/lab/inside.ts';
import { makeLabVault } from '../../packages/testkit/src/torture/lab-vault.ts';

/** Inside a QEMU machine: all disks are encrypted, by one command and one after the other. */
export interface FourVolumesInput {
  readonly rounds: number;
}

export interface FourVolumesRound {
  readonly togetherSeconds: number;
  readonly inTurnSeconds: number;
}

const { rounds } = await labInput<FourVolumesInput>();
const points = labDisks().map((_, index) => `/srv/data${index}`);
const fstab = readFileSync('/etc/fstab', 'utf8');
// The agent of the image would look after the volumes as well.
await run('systemctl', ['stop', 'kannuki-agent.service']);
// A vault on a disk of the machine itself would be refused.
mkdirSync('/mnt/keep', { recursive: true });
await run('mount', ['-t', 'tmpfs', 'tmpfs', '/mnt/keep']);
const { vaultUrl, kekId } = await makeLabVault('/mnt/keep');
// Measures the tuning, which is kept until the next boot, and loads what is loaded once.
await inTurn([points[0] ?? '']);
const results: FourVolumesRound[] = [];
for (let round = 0; round < rounds; round++) {
  const isTogetherFirst = round % 2 === 0;
  const first = await (isTogetherFirst ? together() : inTurn(points));
  const second = await (isTogetherFirst ? inTurn(points) : together());
  const [togetherSeconds, inTurnSeconds] = isTogetherFirst ? [first, second] : [second, first];
  results.push({ togetherSeconds, inTurnSeconds });
}
labResult(results);

async function together(): Promise<number> {
  return await timed(points, async (engine, request) => {
    const outcomes = await engine.encryptAll(points.map((target) => ({ target, request, way: inPlace })));
    for (const outcome of outcomes) if ('error' in outcome) throw outcome.error;
  });
}

async function inTurn(targets: readonly string[]): Promise<number> {
  return await timed(targets, async (engine, request) => {
    for (const target of targets) await engine.encrypt(target, request);
  });
}

type Request = Parameters<VolumeEngine['encrypt']>[1];

/** Fresh file systems; the encryption, timed; everything plain and forgotten again. @returns seconds */
async function timed(
  targets: readonly string[],
  encrypt: (engine: VolumeEngine, request: Request) => Promise<void>,
): Promise<number> {
  let lines = fstab;
  for (const [index, point] of points.entries()) {
    const disk = labDisks()[index] ?? '';
    await run('mkfs.ext4', ['-q', '-F', '-b', '4096', '-E', 'lazy_itable_init=0', disk], { timeoutSeconds: 300 });
    mkdirSync(point, { recursive: true });
    lines += `${disk} ${point} ext4 defaults,nofail 0 2\n`;
  }
  writeFileSync('/etc/fstab', lines);
  await run('systemctl', ['daemon-reload']);
  for (const point of points) await run('mount', [point]);
  await using vault = await openGuestVault(vaultUrl);
  const engine = new VolumeEngine();
  const start = performance.now();
  await encrypt(engine, { vault, kekId, stopServices: false });
  const seconds = (performance.now() - start) / 1000;
  const names = (await engine.journals()).map(({ name }) => name);
  if (names.length !== targets.length) throw new Error(`${names.length} volumes are encrypted`);
  for (const point of points) await run('umount', [point]);
  for (const name of names) await run('cryptsetup', ['close', name]);
  await run('rm', ['-rf', '/var/lib/kannuki', '/etc/kannuki', '/etc/crypttab', '/etc/fstab.azure.backup']);
  return seconds;
}
