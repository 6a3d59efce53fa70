import { KannukiError, type Run } from '@kannuki/core';
import { isFinished, type Journal } from './journal.ts';
import { activeMapping } from './mapping.ts';
import { useOf } from './uses/uses.ts';

interface LsblkReply {
  readonly blockdevices: readonly { readonly size: number; readonly serial: string | null }[];
}

/**
 * Refuses a device that is not the one of the journal: after the conversion a whole disk has no signature of its own, so
 * what is left to know it by is its name, its size and its serial number. One that has grown since is the same only where that
 * can be told before anything is written to it (mayHaveGrown).
 */
export async function assertSameDevice(journal: Journal, run: Run): Promise<void> {
  const { device } = journal;
  const found = await lookAt(journal, run);
  const hasSerial = found !== undefined && (device.serial === null || found.serial === device.serial);
  if (hasSerial && found.size === device.sizeBytes) return;
  if (hasSerial && found.size > device.sizeBytes && mayHaveGrown(journal)) return;
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

/**
 * Whether a larger device may be the volume's: its disk was made larger and `kannuki disk grow` has not ended yet. Only while no
 * operation is under way, since each of them writes to the device or counts with its size. To open such a volume writes
 * nothing, and nothing is done with it before it has shown, through its own key, what the journal says it holds (assertSameContent):
 * another disk shows noise. With a random key there is nothing to show, and what is there is overwritten.
 */
function mayHaveGrown(journal: Journal): boolean {
  return isFinished(journal) && journal.keySource !== 'random';
}

/** Refuses an operation on a volume whose disk has grown: it would have to count with two sizes. */
export async function assertNotGrown(journal: Journal, run: Run): Promise<void> {
  const found = await lookAt(journal, run);
  const { sizeBytes } = journal.device;
  if (!mayHaveGrown(journal) || found === undefined || found.size <= sizeBytes) return;
  throw new KannukiError('KNK-VOL-0072', {
    details: { target: useOf(journal).name, seen: String(found.size), wanted: String(sizeBytes) },
  });
}

/** lsblk(8). */
const notThere = 32;

async function lookAt({ device }: Journal, run: Run): Promise<LsblkReply['blockdevices'][number] | undefined> {
  const columns = ['--json', '--bytes', '--nodeps', '--output', 'SIZE,SERIAL'];
  const { exitCode, stdout } = await run('lsblk', [...columns, device.path], { accept: [0, 1, notThere] });
  if (exitCode !== 0) return undefined;
  return (JSON.parse(stdout) as LsblkReply).blockdevices[0];
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
