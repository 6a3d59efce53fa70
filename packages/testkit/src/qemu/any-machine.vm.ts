import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratch } from '../lab/scratch.ts';
import { type MachineKind, machineKinds, runScenario } from './any-machine.ts';
import type { ThroughDmCrypt } from './scenarios/write-through-dm-crypt.ts';

const scenario = join(import.meta.dirname, 'scenarios/write-through-dm-crypt.ts');
const diskMiB = 96;

for (const kind of Object.keys(machineKinds) as MachineKind[]) {
  test(`one test, any machine: what was fsynced through dm-crypt survives a power cut in ${kind}`, async (t) => {
    const folder = await mkdtemp(join(scratch(), 'kannuki-any-'));
    t.after(() => rm(folder, { recursive: true }));
    const disk = join(folder, 'disk.img');
    writeFileSync(disk, '');
    truncateSync(disk, diskMiB * 1024 * 1024);
    const passphrase = randomBytes(16).toString('hex');

    const machine = await machineKinds[kind]({
      scenario,
      disks: [disk],
      input: { part: 'write', passphrase } satisfies ThroughDmCrypt,
    });
    await machine.waitFor((line) => line.startsWith('file:5:'));
    const told = await machine.powerCut();

    const input = { part: 'check', passphrase } satisfies ThroughDmCrypt;
    const found = await runScenario<Readonly<Record<string, string>>>(kind, { scenario, disks: [disk], input });
    assert.ok(told.length >= 6);
    for (const line of told) {
      const [, name = '', sha256] = line.split(':');
      assert.equal(found[name], sha256, line);
    }
  });
}
