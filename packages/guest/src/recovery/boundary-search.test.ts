import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { encryptSectors, type Luks2Metadata, type Segment } from '@kannuki/formats';
import { searchBoundary } from './boundary-search.ts';
import { evidenceOf, unitBytes } from './unit-evidence.ts';

const folder = mkdtempSync(join(tmpdir(), 'kannuki-boundary-'));
after(() => rmSync(folder, { recursive: true }));
const key = SecretBytes.random(64);
const units = 900;
const pieceUnits = 128;

/** Text, zeros and tables, as file systems have them. */
function structured(unit: number): Buffer {
  if (unit % 3 === 0) return Buffer.alloc(unitBytes);
  return Buffer.alloc(unitBytes, unit % 3 === 1 ? `line ${unit} of a log file, and so on\n` : `\x00\x01${unit}\xff`);
}

function metadata(known: number): Luks2Metadata {
  const crypt = { encryption: 'aes-xts-plain64', ivTweak: 0n, sectorSize: 4096 };
  const live: Segment = { type: 'crypt', offset: 0n, size: BigInt(known * unitBytes), flags: [], crypt };
  const slot = {
    type: 'reencrypt',
    mode: 'encrypt',
    direction: 'forward',
    resilience: 'journal',
    area: { offset: 0n, size: BigInt(pieceUnits * unitBytes) },
  } as const;
  const final: Segment = { ...live, size: 'dynamic', flags: ['backup-final'] };
  return {
    keyslots: new Map([[1, slot]]),
    segments: new Map([
      [0, live],
      [1, final],
    ]),
    tokens: new Map(),
    digests: new Map(),
    config: { jsonSize: 0n, keyslotsSize: 0n, flags: [], requirements: [] },
    raw: new Map(),
  };
}

/** A disk that was cut at a unit; what `noise` names cannot be told apart. */
function disk(boundary: number, noise: readonly number[] = [], sectorSize = 4096): string {
  const content = Buffer.alloc(units * unitBytes);
  for (let unit = 0; unit < units; unit++) {
    using plain = SecretBytes.take(noise.includes(unit) ? randomBytes(unitBytes) : structured(unit));
    const place = { sectorSize, firstSector: (unit * unitBytes) / 512 };
    content.set(unit < boundary ? encryptSectors(plain, key, place) : plain.bytes, unit * unitBytes);
  }
  const path = join(folder, 'disk');
  writeFileSync(path, content);
  return path;
}

async function search(device: string, known: number): Promise<number | string> {
  const sizeBytes = units * unitBytes;
  const found = await searchBoundary({ device, sizeBytes, metadata: metadata(known), volumeKey: key });
  return found.kind === 'found' ? found.bytes / unitBytes : found.reason;
}

test('the boundary is read from the disk, from wherever an older header stood', async () => {
  for (const boundary of [0, 1, 654, units]) {
    const device = disk(boundary);
    for (const known of [0, Math.floor(boundary / 2), boundary]) assert.equal(await search(device, known), boundary);
  }
});

test('noise far from the boundary does no harm; near it there is no answer', async () => {
  assert.equal(await search(disk(450, [10, 11, 12, 450 - pieceUnits - 1, 450 + pieceUnits]), 0), 450);
  for (const unit of [450 - pieceUnits, 449, 450, 450 + pieceUnits - 1]) {
    assert.match(String(await search(disk(450, [unit]), 0)), /look like noise both ways/);
  }
});

test('random bytes never count as evidence, and ciphertext of the key does', () => {
  const place = { sectorSize: 512, firstSector: 8 };
  for (let round = 0; round < 300; round++) assert.equal(evidenceOf(randomBytes(unitBytes), key, place), 'undecided');
  using plain = SecretBytes.take(structured(1));
  assert.equal(evidenceOf(plain.bytes, key, place), 'plain');
  assert.equal(evidenceOf(encryptSectors(plain, key, place), key, place), 'cipher');
  assert.equal(evidenceOf(encryptSectors(plain, key, { ...place, firstSector: 16 }), key, place), 'undecided');
});
