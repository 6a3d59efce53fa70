import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { hasCode, KannukiError, type Run, run, type SecretBytes } from '@kannuki/core';
import { openKeyslot, readLuks2Header } from '@kannuki/formats';
import { escrowPassphrase, generatePassphrase, releasePassphrase, type VaultPort } from '@kannuki/keyvault';
import { ScratchVault } from '@kannuki/keyvault/testing/scratch-vaults';
import { VolumeEngine } from '../engine.ts';
import type { Journal } from '../journal.ts';
import { JournalStore } from '../journal-store.ts';
import { defaultPaths, type EnginePaths, headerFolder, headerPath } from '../paths.ts';
import { rotateKek } from './rotate-kek/begin.ts';
import { rotatePassphrase } from './rotate-passphrase/begin.ts';

/** Rotations that need no mapping, with the machine's cryptsetup on plain files and a real vault. */
const volume = 'kn_data0';
let scratch: ScratchVault;
let paths: EnginePaths;
let device: string;
let keks: readonly string[];

beforeEach(async () => {
  scratch = await ScratchVault.make();
  const { vault, folder } = scratch;
  paths = { ...defaultPaths, state: folder.file('state'), runtime: folder.file('run') };
  device = folder.file('device');
  writeFileSync(device, '');
  truncateSync(device, 32 * 1024 * 1024);
  mkdirSync(headerFolder(paths), { recursive: true });
  keks = [(await vault.createKey('kek1')).id, (await vault.createKey('kek2')).id];
  using passphrase = generatePassphrase();
  const header = headerPath(paths, volume);
  const kdf = ['--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'];
  const format = ['luksFormat', '--batch-mode', '--type=luks2', ...kdf, '--offset=0', '--key-file=-'];
  await run('cryptsetup', [...format, `--header=${header}`, device], { input: passphrase });
  const kekId = keks[0] ?? null;
  const receipt = await escrowPassphrase(vault, { passphrase, secretName: 'secret', kekId });
  const journal: Journal = {
    version: 1,
    name: volume,
    operation: 'encrypt',
    madeBy: 'encrypt',
    step: 'finished',
    device: { path: device, sizeBytes: 32 * 1024 * 1024, serial: null },
    use: {
      kind: 'mount',
      fileSystem: { type: 'ext4', uuid: '0a' },
      point: '/nowhere/data0',
      options: 'defaults',
      dump: 0,
      pass: 2,
      originalLine: 'x',
    },
    header: { place: 'file', sectorSize: 512, resilience: 'journal' },
    vaultUri: vault.vaultUri,
    kekId,
    secretName: 'secret',
    keyFileName: 'LinuxPassPhraseFileName',
    keySource: 'key-volume',
    keyVolumeUuid: '1384-3AA3',
    passphrase: receipt,
    headerRecord: null,
    luksUuid: readLuks2Header(readFileSync(header)).newest.uuid,
    stopServices: false,
    stoppedUnits: [],
    downtimeSeconds: 0.5,
  };
  await new JournalStore(paths).save(journal);
});

afterEach(async () => scratch[Symbol.asyncDispose]());

function engine(options: { readonly run?: Run } = {}): VolumeEngine {
  return new VolumeEngine({ paths, ...options });
}

async function journalNow(where = paths): Promise<Journal> {
  return (await new JournalStore(where).find(volume)) ?? assert.fail('no journal');
}

function opens(passphrase: SecretBytes, where = paths): boolean {
  try {
    using _volumeKey = openKeyslot(readFileSync(headerPath(where, volume)), passphrase);
    return true;
  } catch (error) {
    if (hasCode(error, 'KNK-FMT-0104')) return false;
    throw error;
  }
}

/** What the next boot gets, by the agent (the journal) and by a key volume (the newest version), opens the header. */
async function assertBootable(where = paths): Promise<void> {
  const { passphrase } = await journalNow(where);
  assert.ok(passphrase !== null);
  using byAgent = await releasePassphrase(scratch.vault, passphrase);
  assert.ok(opens(byAgent, where), 'the passphrase of the journal');
  const newest = await scratch.vault.getSecret(passphrase.secretId.replace(/\/[^/]+$/, ''));
  newest.value[Symbol.dispose]();
  const kekId = newest.tags.DiskEncryptionKeyEncryptionKeyURL ?? null;
  using byKeyVolume = await releasePassphrase(scratch.vault, { ...passphrase, secretId: newest.id, kekId });
  assert.ok(opens(byKeyVolume, where), 'the newest passphrase of the vault');
}

async function assertSettled(where = paths): Promise<void> {
  await assertBootable(where);
  const { step, passphraseRotation, kekRotation } = await journalNow(where);
  assert.deepEqual(
    { step, passphraseRotation, kekRotation },
    {
      step: 'finished',
      passphraseRotation: undefined,
      kekRotation: undefined,
    },
  );
  assert.equal(readLuks2Header(readFileSync(headerPath(where, volume))).newest.metadata.keyslots.size, 1);
}

async function passphraseNow(): Promise<SecretBytes> {
  const { passphrase } = await journalNow();
  return releasePassphrase(scratch.vault, passphrase ?? assert.fail());
}

/** The vault as it is, but that something happens before or after each call. */
function watched(around: (call: string, action: () => Promise<unknown>) => Promise<unknown>): VaultPort {
  const { vault } = scratch;
  const port: VaultPort = {
    vaultUri: vault.vaultUri,
    keyInfo: (id) => around('keyInfo', () => vault.keyInfo(id)) as ReturnType<VaultPort['keyInfo']>,
    wrapKey: (...args) => around('wrapKey', () => vault.wrapKey(...args)) as ReturnType<VaultPort['wrapKey']>,
    unwrapKey: (...args) => around('unwrapKey', () => vault.unwrapKey(...args)) as ReturnType<VaultPort['unwrapKey']>,
    setSecret: (...args) => around('setSecret', () => vault.setSecret(...args)) as ReturnType<VaultPort['setSecret']>,
    getSecret: (id) => around('getSecret', () => vault.getSecret(id)) as ReturnType<VaultPort['getSecret']>,
    disableSecret: (name) =>
      around('disableSecret', () => vault.disableSecret(name)) as ReturnType<VaultPort['disableSecret']>,
  };
  return port;
}

/** Dead from a call on: the vault has done that one, and its answer was lost. As if it were dead before the next one. */
function dying(atCall: number): { readonly vault: VaultPort; reached: () => boolean } {
  let calls = 0;
  const vault = watched(async (_call, action) => {
    calls += 1;
    const result = calls > atCall ? undefined : await action();
    if (calls < atCall) return result;
    throw new KannukiError('KNK-KVT-0001', { details: { vault: scratch.vault.vaultUri, reason: 'gone' } });
  });
  return { vault, reached: () => calls >= atCall };
}

/** A vault that stores its first secret without what was to be stored with it. */
function forgetful(): VaultPort {
  let stored = 0;
  return {
    ...watched((_call, action) => action()),
    setSecret: (name, value, attributes) => {
      stored += 1;
      return scratch.vault.setSecret(name, value, stored === 1 ? { ...attributes, tags: {} } : attributes);
    },
  };
}

const operations = { 'rotate-passphrase': () => rotatePassphrase, 'rotate-kek': () => rotateKek('kek2') } as const;

for (const [name, operation] of Object.entries(operations)) {
  describe(name, () => {
    test('the vault dies after each of its calls: the boot always has a passphrase that opens', async () => {
      let attempts = 0;
      for (let atCall = 1; ; atCall++) {
        const { vault, reached } = dying(atCall);
        const attempt = engine().operate(volume, operation(), () => vault);
        await attempt.catch((error: unknown) => assert.ok(hasCode(error, 'KNK-KVT-0001'), String(error)));
        if (!reached()) break;
        attempts += 1;
        await assertBootable();
        assert.deepEqual(await engine().resume(() => scratch.vault), []);
        await assertSettled();
      }
      assert.ok(attempts >= 15, `${attempts}`);
      await assertSettled();
    });

    test('the power goes before and after each change of vault, header or journal: the next start brings it to an end', async () => {
      const copies: string[] = [];
      const copy = (): void => {
        const folder = join(scratch.folder.path, `cut${copies.length}`);
        cpSync(paths.state, folder, { recursive: true });
        copies.push(folder);
      };
      const around = async <Result>(action: () => Promise<Result>): Promise<Result> => {
        copy();
        const result = await action();
        copy();
        return result;
      };
      const cutting: Run = (program, args, options) => {
        const change = (): ReturnType<Run> => run(program, args, options);
        return ['luksAddKey', 'luksKillSlot'].includes(args[0] ?? '') ? around(change) : change();
      };
      const vault = watched((call, action) => (call === 'setSecret' ? around(action) : action()));
      using old = await passphraseNow();
      await new VolumeEngine({ paths, run: cutting, onEvent: copy }).operate(volume, operation(), () => vault);
      await assertSettled();
      assert.ok(copies.length >= (name === 'rotate-kek' ? 8 : 16), `${copies.length}`);
      // The vault is as it is at the end, and older versions are still there: what counts is the journal and the header.
      for (const state of copies) {
        const cut = { ...paths, state };
        const { passphrase } = await journalNow(cut);
        using byAgent = await releasePassphrase(scratch.vault, passphrase ?? assert.fail());
        assert.ok(opens(byAgent, cut), state);
        assert.deepEqual(await new VolumeEngine({ paths: cut }).resume(() => scratch.vault), []);
        const { step } = await journalNow(cut);
        assert.equal(step, 'finished');
        assert.equal(readLuks2Header(readFileSync(headerPath(cut, volume))).newest.metadata.keyslots.size, 1);
        rmSync(state, { recursive: true });
      }
      assert.equal(opens(old), name === 'rotate-kek');
    });
  });
}

test('no passphrase is in the arguments of a program, and the old one opens nothing afterwards', async () => {
  using old = await passphraseNow();
  const seen: string[] = [];
  const watching: Run = (program, args, options) => {
    seen.push(...args, ...Object.values(options?.environment ?? {}));
    return run(program, args, options);
  };
  await engine({ run: watching }).operate(volume, rotatePassphrase, () => scratch.vault);
  using now = await passphraseNow();
  assert.ok(seen.includes('luksAddKey') && seen.includes('luksKillSlot'));
  for (const secret of [old, now]) {
    const text = Buffer.from(secret.bytes).toString('latin1');
    assert.equal(
      seen.some((word) => word.includes(text)),
      false,
    );
  }
  assert.deepEqual([opens(old), opens(now), old.equals(now)], [false, true, false]);
});

test('a removal that does nothing is noticed, and made up for by the next start (ADE ignores it)', async () => {
  using old = await passphraseNow();
  const lying: Run = async (program, args, options) =>
    args[0] === 'luksKillSlot' ? { exitCode: 0, stdout: '', stderr: '' } : run(program, args, options);
  const rotation = engine({ run: lying }).operate(volume, rotatePassphrase, () => scratch.vault);
  await assert.rejects(rotation, (error) => hasCode(error, 'KNK-VOL-0031'));
  await assertBootable();
  assert.ok(opens(old));
  assert.equal((await journalNow()).step, 'switched');
  assert.deepEqual(await engine().resume(() => scratch.vault), []);
  await assertSettled();
  assert.equal(opens(old), false);
});

test('a vault that gives back something else: the old passphrase is its newest again (ADE empties its key file)', async () => {
  using old = await passphraseNow();
  const lying = forgetful();
  const rotation = engine().operate(volume, rotatePassphrase, () => lying);
  await assert.rejects(rotation, (error) => hasCode(error, 'KNK-KVT-0006'));
  await assertSettled();
  using now = await passphraseNow();
  assert.ok(now.equals(old) && opens(old));
  assert.equal((await journalNow()).operation, 'encrypt');
});

test('another KEK: the same passphrase and the same header, byte for byte; the old KEK is needed no more', async () => {
  using old = await passphraseNow();
  const before = [headerPath(paths, volume), device].map((path) => readFileSync(path));
  await engine().operate(volume, rotateKek('kek2'), () => scratch.vault);
  await scratch.vault.setKeyEnabled(keks[0] ?? '', false);
  const after = [headerPath(paths, volume), device].map((path) => readFileSync(path));
  assert.ok(before.every((bytes, index) => bytes.equals(after[index] ?? Buffer.alloc(0))));
  const { kekId, passphrase, headerRecord } = await journalNow();
  assert.deepEqual([kekId, passphrase?.kekId], [keks[1], keks[1]]);
  assert.notEqual(headerRecord, null);
  using now = await passphraseNow();
  assert.ok(now.equals(old));
});

for (const end of ['resumed', 'taken back'] as const) {
  test(`a key that its owner adds while a rotation waits for its vault stays when that is ${end}`, async () => {
    const person = scratch.folder.file('person');
    writeFileSync(person, 'correct horse battery staple', { mode: 0o600 });
    using old = await passphraseNow();
    const header = headerPath(paths, volume);
    const vault = watched(async (call, action) => {
      if (call !== 'setSecret') return action();
      throw new KannukiError('KNK-KVT-0001', { details: { vault: scratch.vault.vaultUri, reason: 'gone' } });
    });
    const rotation = engine().operate(volume, rotatePassphrase, () => vault);
    await assert.rejects(rotation, (error) => hasCode(error, 'KNK-KVT-0001'));
    const kdf = ['--pbkdf=pbkdf2', '--pbkdf-force-iterations=1000'];
    const add = ['luksAddKey', '--batch-mode', ...kdf, '--key-file=-', header, person];
    await run('cryptsetup', add, { input: old });
    const before = (await journalNow()).passphraseRotation;
    assert.ok(typeof before?.newSlot === 'number', JSON.stringify(before));
    const failures = await engine().resume(() => (end === 'resumed' ? scratch.vault : forgetful()));
    assert.equal(failures.length, end === 'resumed' ? 0 : 1, JSON.stringify(failures));
    await run('cryptsetup', ['open', '--test-passphrase', `--key-file=${person}`, header]);
    assert.equal(readLuks2Header(readFileSync(header)).newest.metadata.keyslots.size, 2);
    await assertBootable();
    assert.equal(opens(old), end === 'taken back');
  });
}

test('slots of other people stay, and while an operation is not over no other one begins', async () => {
  const person = scratch.folder.file('person');
  writeFileSync(person, 'correct horse battery staple', { mode: 0o600 });
  using old = await passphraseNow();
  const header = headerPath(paths, volume);
  const kdf = ['--pbkdf=argon2id', '--pbkdf-force-iterations=4', '--pbkdf-memory=32768'];
  const add = ['luksAddKey', '--batch-mode', ...kdf, '--key-slot=7', '--key-file=-', header, person];
  await run('cryptsetup', add, { input: old });
  await engine().operate(volume, rotatePassphrase, () => scratch.vault);
  await run('cryptsetup', ['open', '--test-passphrase', '--key-slot=7', `--key-file=${person}`, header]);
  assert.equal(opens(old), false);
  const store = new JournalStore(paths);
  await store.save({ ...(await journalNow()), operation: 'encrypt', step: 'mapped' });
  const second = engine().operate(volume, rotatePassphrase, () => scratch.vault);
  await assert.rejects(second, (error) => hasCode(error, 'KNK-VOL-0010'));
});
