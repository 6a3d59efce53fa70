import { KannukiError, type Run } from '@kannuki/core';
import type { Journal } from './journal.ts';
import { activeMapping } from './mapping.ts';
import { useOf } from './uses/uses.ts';

interface LsblkReply {
  readonly blockdevices: readonly { readonly size: number; readonly serial: string | null }[];
}

/**
 * Refuses a device that is not the one of the journal: after the conversion a whole disk has no signature of its own, so
 * what is left to know it by is its name, its size and its serial number.
 */
export async function assertSameDevice(journal: Journal, run: Run): Promise<void> {
  const { device } = journal;
  const { stdout } = await run('lsblk', ['--json', '--bytes', '--nodeps', '--output', 'SIZE,SERIAL', device.path]);
  const found = (JSON.parse(stdout) as LsblkReply).blockdevices[0];
  const same =
    found !== undefined &&
    found.size === device.sizeBytes &&
    (device.serial === null || found.serial === device.serial);
  if (!same) {
    const seen = found === undefined ? 'nothing' : `${found.size} bytes, serial ${found.serial ?? 'none'}`;
    throw new KannukiError('KNK-VOL-0004', {
      details: {
        volume: journal.name,
        device: device.path,
        seen,
        wanted: `${device.sizeBytes} bytes, serial ${device.serial ?? 'none'}`,
      },
    });
  }
}

/** Refuses a mapping that does not show what the journal says the volume holds: then it lies over another disk. */
export async function assertSameContent(journal: Journal, run: Run): Promise<void> {
  const use = useOf(journal);
  const device = `/dev/mapper/${journal.name}`;
  const mapping = await activeMapping(journal.name);
  const isOurs = mapping?.uuid.startsWith('CRYPT-') === true;
  const seen = isOurs ? await use.probe(device, run) : undefined;
  if (seen === use.wanted) return;
  throw new KannukiError('KNK-VOL-0004', {
    details: { volume: journal.name, device, seen: seen ?? 'nothing known', wanted: use.wanted },
  });
}
