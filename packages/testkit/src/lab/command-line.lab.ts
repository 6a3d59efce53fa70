import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VolumeStatus } from '@kannuki/core';
import { type EmbeddedVault, EmbeddedVaults } from '@kannuki/keyvault';
import { ScratchFolder } from '@kannuki/keyvault/testing/scratch-vaults';
import { makeCertificates } from '@kannuki/keyvault/testing/tls-server';
import { dataMountPoint, smallVm } from '../power-cut/small-vm.ts';
import type { Outcome } from './scenarios/command-line/case.ts';
import type { GoodPath } from './scenarios/command-line/good-path.ts';
import type { Answer } from './scenarios/command-line/kannuki.ts';
import { spareMiB } from './scenarios/command-line/spare-disk.ts';
import { badKeks, type LostServer } from './scenarios/command-line/vault-cases.ts';
import type { CommandLineInput, CommandLineResult } from './scenarios/command-line.ts';
import { makeScratchVm, type ScratchVm } from './scratch-vm.ts';
import { runInUml } from './uml.ts';

test('rule 6: the real program refuses bad input with finding and exit code and changes nothing; good input goes through', async (t) => {
  await using vm = await makeScratchVm(smallVm);
  const { outcomes, listAfterwards, good } = await runCommands(vm);
  // So that no case gets lost on its way out of the machine.
  assert.equal(outcomes.length, 23);
  for (const outcome of outcomes) await t.test(outcome.name, () => assertRefused(outcome));
  await t.test('after all of them the volume is as it was', () => {
    const [data] = volumesOf(listAfterwards).filter(({ mountPoint }) => mountPoint === dataMountPoint);
    assert.equal(data?.state, 'NotEncrypted');
  });
  await t.test('nothing encrypted yet: nothing to test, unlock or recover', () => assertNothingYet(good));
  await t.test('a good command: encrypted, with progress', () => assertEncrypts(good));
  await t.test('encrypted: list, test-unlock, recover, and no second time', () => assertEncrypted(good));
  await t.test('locked, and unlocked by hand', () => assertUnlocks(good));
  await t.test('without its header it does not unlock', () => {
    const { exitCode, stdout } = good.testUnlockWithoutHeader;
    const [volume] = JSON.parse(stdout) as readonly { readonly opens: boolean; readonly error: { code: string } }[];
    assert.equal(exitCode, 1);
    assert.equal(volume?.opens, false);
    assert.match(volume.error.code, /^KNK-/);
  });
  await t.test('the vault has the two secrets of the good command and none of the refused ones', async () => {
    const { secrets } = await inVault(vm, async (vault) => ({ secrets: vault.listSecrets() }));
    assert.equal(secrets.length, 2);
  });
});

async function runCommands(vm: ScratchVm): Promise<CommandLineResult> {
  await addBadKeks(vm);
  const spare = join(vm.folder, 'spare.img');
  writeFileSync(spare, '');
  truncateSync(spare, spareMiB * 1024 * 1024);
  return runInUml<CommandLineResult>({
    scenario: join(import.meta.dirname, 'scenarios/command-line.ts'),
    programs: { kannuki: fileURLToPath(import.meta.resolve('@kannuki/cli/main')) },
    input: { vm: smallVm, lostServer: await lostServer() } satisfies CommandLineInput,
    disks: [vm.disk, spare],
    keep: vm.keep,
    memoryMiB: 512,
    timeoutSeconds: 900,
  });
}

async function inVault<Result>(vm: ScratchVm, action: (vault: EmbeddedVault) => Promise<Result>): Promise<Result> {
  const folder = join(vm.keep, 'vault');
  await using vaults = await EmbeddedVaults.open({
    databaseFile: join(folder, 'vault.db'),
    rootKeyFile: join(folder, 'root.key'),
  });
  return await action(vaults.vault('lab'));
}

async function addBadKeks(vm: ScratchVm): Promise<void> {
  await inVault(vm, async (vault) => {
    await vault.createKey(badKeks.wrapOnly, { operations: ['wrapKey'] });
    const { id } = await vault.createKey(badKeks.disabled);
    await vault.setKeyEnabled(id, false);
  });
}

async function lostServer(): Promise<LostServer> {
  await using folder = await ScratchFolder.make();
  const { authority, client } = await makeCertificates(folder, 'lost');
  return {
    privateKey: client.privateKey.toString('latin1'),
    certificate: client.certificate.toString('latin1'),
    authority: authority.toString('latin1'),
  };
}

function assertRefused({ expects, mentions, encrypt, check, changed }: Outcome): void {
  const where = `${encrypt.stdout}\n${encrypt.stderr}`;
  assert.equal(encrypt.exitCode, expects.exitCode, where);
  assert.equal(encrypt.errorCode, expects.errorCode, where);
  // What both ways would take is said before; the refusal is one line.
  const error = new RegExp(
    `^(?:${dataMountPoint}: the whole disk: .+\n)?kannuki: error ${expects.errorCode}: .+; .+\n$`,
  );
  assert.match(encrypt.stderr, error, 'one line for people');
  assertFindings(encrypt, expects.rules ?? [], mentions);
  if (check !== null) {
    assert.equal(check.exitCode, expects.exitCode, check.stdout);
    assert.equal((JSON.parse(check.stdout) as { supported: boolean }).supported, false);
    assertFindings(check, expects.rules ?? [], mentions);
  }
  assert.deepEqual(changed, []);
}

/** All findings that refuse, and no other; each says what and what to do. */
function assertFindings({ findings }: Answer, rules: readonly string[], mentions: string | null): void {
  const refusals = findings.filter(({ severity }) => severity === 'refuse');
  const where = JSON.stringify(refusals);
  assert.deepEqual([...new Set(refusals.map(({ rule }) => rule))].sort(), rules, where);
  for (const { subject, message, remedy } of refusals) {
    assert.ok(subject !== '' && message !== '' && remedy !== '', where);
  }
  if (mentions !== null) {
    assert.ok(
      refusals.some(({ subject, message }) => `${subject} ${message}`.includes(mentions)),
      `${mentions} is not in ${where}`,
    );
  }
}

function assertNothingYet({ testUnlockNothing, testUnlockPlain, unlockNothing, recoverNothing }: GoodPath): void {
  assert.deepEqual([testUnlockNothing.exitCode, testUnlockNothing.stdout.trim()], [0, '[]']);
  assert.deepEqual([unlockNothing.exitCode, unlockNothing.stdout.trim()], [0, '[]']);
  assert.deepEqual([testUnlockPlain.exitCode, testUnlockPlain.errorCode], [3, 'KNK-VOL-0007']);
  assert.deepEqual([recoverNothing.exitCode, recoverNothing.errorCode], [3, 'KNK-VOL-0007']);
}

const dataBytes = smallVm.dataMiB * 1024 * 1024;
const volumeName = 'kn_srv_data0';

function assertEncrypts({ check, encrypt }: GoodPath): void {
  assert.equal(check.exitCode, 0, check.stdout);
  assert.equal((JSON.parse(check.stdout) as { supported: boolean }).supported, true);
  assert.equal(encrypt.exitCode, 0, `${encrypt.stdout}\n${encrypt.stderr}`);
  const lines = encrypt.stdout.trimEnd().split('\n');
  const events = lines.slice(0, -1).map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.ok(events.length >= 1, encrypt.stdout);
  let before = 0;
  for (const event of events) {
    const { bytesDone, bytesPerSecond, etaSeconds, ...fixed } = event;
    const where = JSON.stringify(event);
    assert.deepEqual(fixed, { event: 'progress', volume: volumeName, bytesTotal: dataBytes }, where);
    assert.ok(Number(bytesDone) >= before && Number(bytesDone) <= dataBytes, where);
    assert.ok(Number(bytesPerSecond) >= 0 && Number(etaSeconds) >= 0, where);
    before = Number(bytesDone);
  }
  assert.equal(before, dataBytes, 'the last event says that all is done');
  const [volume, ...others] = JSON.parse(lines.at(-1) ?? '') as readonly EncryptResult[];
  assert.deepEqual(others, []);
  assert.equal(volume?.volume, volumeName);
  assert.equal(volume.mountPoint, dataMountPoint);
  assert.equal(volume.state, 'Encrypted');
  assert.match(volume.secretId, /^https:\/\/.+\/secrets\//);
  assert.match(volume.kekId, /\/keys\/kek\//);
  assert.ok(volume.downtimeSeconds > 0);
}

/** One of the array that `disk encrypt -o json` prints. */
interface EncryptResult {
  readonly volume: string;
  readonly mountPoint: string;
  readonly state: string;
  readonly secretId: string;
  readonly kekId: string;
  readonly downtimeSeconds: number;
}

function assertEncrypted({ list, testUnlock, recover, encryptAgain }: GoodPath): void {
  const [data] = volumesOf(list).filter(({ mountPoint }) => mountPoint === dataMountPoint);
  assert.equal(data?.state, 'Encrypted');
  assert.equal(data.percent, 100);
  assert.equal(testUnlock.exitCode, 0, testUnlock.stdout);
  const [tested] = JSON.parse(testUnlock.stdout) as readonly { readonly opens: boolean; readonly error: unknown }[];
  assert.equal(tested?.opens, true);
  assert.equal(tested.error, null);
  assert.equal(recover.exitCode, 0, recover.stdout);
  const steps = JSON.parse(recover.stdout) as readonly { readonly what: string; readonly command: string | null }[];
  assert.ok(steps.some(({ command }) => command?.startsWith('cryptsetup open --header ') === true));
  assert.ok(steps.every(({ what }) => what !== ''));
  assert.equal(encryptAgain.exitCode, 10, encryptAgain.stdout);
  assert.equal(encryptAgain.errorCode, 'KNK-VOL-0006');
  assert.ok(encryptAgain.findings.some(({ rule, message }) => rule === 'REQ-090' && /encrypted already/.test(message)));
}

function assertUnlocks({ listLocked, unlock, listUnlocked, damagedFiles }: GoodPath): void {
  const stateIn = (answer: Answer): unknown => volumesOf(answer).find(({ name }) => name === volumeName)?.state;
  assert.equal(stateIn(listLocked), 'Locked');
  assert.equal(unlock.exitCode, 0, `${unlock.stdout}\n${unlock.stderr}`);
  assert.equal(stateIn(unlock), 'Encrypted');
  assert.equal(stateIn(listUnlocked), 'Encrypted');
  assert.deepEqual(damagedFiles, []);
}

function volumesOf({ exitCode, stdout, stderr }: Answer): readonly VolumeStatus[] {
  assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
  return JSON.parse(stdout) as readonly VolumeStatus[];
}
