import { hasCode, KannukiError, type Run, type SecretBytes } from '@kannuki/core';
import {
  type Luks2HeaderContent,
  liveSegments,
  openKeyslot,
  readLuks2Header,
  reencryptionProgress,
} from '@kannuki/formats';
import { probeThroughHeader } from '../recovery/device-front.ts';
import { readHeaderFile } from './header-file.ts';
import { headerPlace } from './header-place.ts';
import type { Journal } from './journal.ts';
import { mountedDeviceNumber } from './mounting.ts';
import type { EnginePaths } from './paths.ts';
import { useOf } from './uses/uses.ts';

interface Parts {
  readonly paths: EnginePaths;
  readonly run: Run;
}

/**
 * Call it before a header is opened over its device. Where a conversion was cut in the middle of a piece, `cryptsetup open` writes that
 * piece anew, to whatever disk it is given, before anybody could compare what the mapping shows. So the beginning of the disk is
 * read through the header here first. A beginning that was itself under work may be torn and show nothing known: then size and serial number
 * have to do.
 * @throws KannukiError KNK-VOL-0004 when the disk holds something else
 */
export async function assertRightDisk(journal: Journal, passphrase: SecretBytes, parts: Parts): Promise<void> {
  const bytes = await readHeaderFile(headerPlace(journal, parts.paths));
  const content = readLuks2Header(bytes).newest;
  const { metadata } = content;
  if (!reencryptionProgress(metadata, journal.device.sizeBytes).needsRecovery) return;
  const { wanted } = useOf(journal);
  // Header and data are on one disk.
  if (journal.header.place === 'disk') return;
  const live = liveSegments(metadata).map(([, segment]) => segment);
  // The beginning can be read here with AES only.
  if (live.some(({ crypt }) => crypt !== null && crypt.encryption !== 'aes-xts-plain64')) return;
  const seen = await seenThrough(bytes, content, passphrase, journal, parts);
  if (seen.includes(wanted)) return;
  const isTorn = live[0]?.flags.includes('in-reencryption') === true && seen.length === 0;
  if (!isTorn) throw wrongDisk(journal, seen[0] ?? 'nothing known', wanted);
}

/**
 * Call it before a header on its device is put right (recovery-guard.ts): nothing is written to a device on which neither copy of the
 * header, whole or torn, has the volume's UUID. For a header in a file it does nothing.
 * @throws KannukiError KNK-VOL-0004
 */
export async function assertOwnHeaderOnDisk(journal: Journal): Promise<void> {
  if (journal.header.place !== 'disk') return;
  const bytes = Buffer.from(await readHeaderFile(journal.device.path));
  const uuids = [0, secondaryOffset].map((at) => uuidAt(bytes, at));
  if (journal.luksUuid !== null && uuids.includes(journal.luksUuid)) return;
  const seen = uuids.find((uuid) => uuid !== '');
  throw wrongDisk(
    journal,
    seen === undefined ? 'no LUKS header' : `LUKS UUID ${seen}`,
    `LUKS UUID ${journal.luksUuid}`,
  );
}

/** As luksFormat lays it out. */
const secondaryOffset = 16384;
/** LUKS2 on-disk format, binary header: 40 bytes of text, ended by a zero. */
const uuidField = { offset: 168, length: 40 };

function uuidAt(bytes: Buffer, headerOffset: number): string {
  const start = headerOffset + uuidField.offset;
  const text = bytes.toString('latin1', start, start + uuidField.length).split('\0')[0] ?? '';
  return /^[0-9a-f-]{36}$/.test(text) ? text : '';
}

/** With each volume key that the passphrase opens: in the middle of a rotation there are two. */
async function seenThrough(
  bytes: Uint8Array,
  { metadata }: Luks2HeaderContent,
  passphrase: SecretBytes,
  journal: Journal,
  { paths, run }: Parts,
): Promise<readonly string[]> {
  const use = useOf(journal);
  const { path: device, sizeBytes } = journal.device;
  const seen: string[] = [];
  for (const [keyslot, { type }] of metadata.keyslots) {
    if (type !== 'luks2') continue;
    try {
      using volumeKey = openKeyslot(bytes, passphrase, { keyslot });
      const probe = (file: string, program: Run): Promise<string | undefined> => use.probe(file, program);
      const parts = { probe, run, runtime: paths.runtime, device, sizeBytes };
      const found = await probeThroughHeader(metadata, volumeKey, parts);
      if (found !== undefined) seen.push(found);
    } catch (error) {
      // A slot of somebody else.
      if (!hasCode(error, 'KNK-FMT-0104') && !hasCode(error, 'KNK-FMT-0105')) throw error;
    }
  }
  return seen;
}

/**
 * Call it before a plain volume is let go of: what is in use must be this very device, or what is taken up afterwards would be another
 * disk, one that has got the name of ours since, or a copy with the same UUID.
 * @throws KannukiError KNK-VOL-0004
 */
export async function assertInUseIs(journal: Journal, run: Run): Promise<void> {
  const use = useOf(journal);
  const { path } = journal.device;
  const seen = await use.probe(path, run);
  if (seen !== use.wanted) throw wrongDisk(journal, seen ?? 'nothing known', use.wanted);
  if (journal.use.kind !== 'mount') return;
  const { stdout } = await run('lsblk', ['--json', '--nodeps', '--output', 'MAJ:MIN', path]);
  const { blockdevices } = JSON.parse(stdout) as { readonly blockdevices: readonly { readonly 'maj:min': string }[] };
  const mounted = await mountedDeviceNumber(run, use.name);
  const number = blockdevices[0]?.['maj:min'];
  // btrfs has a number of its own; of two with one UUID the kernel takes only one.
  if (number === mounted || mounted?.startsWith('0:') === true) return;
  throw wrongDisk(
    journal,
    `device number ${number ?? 'none'}`,
    `${mounted ?? 'none'}, which is mounted at ${use.name}`,
  );
}

function wrongDisk({ name, device }: Journal, seen: string, wanted: string): KannukiError {
  return new KannukiError('KNK-VOL-0004', { details: { volume: name, device: device.path, seen, wanted } });
}
