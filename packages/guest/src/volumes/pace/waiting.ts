import { readFile } from 'node:fs/promises';

/** What the machine's own programs have asked of a volume since it was opened, and how long they waited for it. */
export interface VolumeTraffic {
  readonly requests: number;
  /** Sum over all requests, ms. */
  readonly waitedMilliseconds: number;
}

/**
 * Traffic of a mapping, from /sys/block/dm-N/stat (Linux, Documentation/block/stat.rst). The conversion works below the
 * mapping, so that only the file system's requests are counted. undefined when the mapping is gone.
 */
export async function trafficOf(kernelName: string, sysfs = '/sys'): Promise<VolumeTraffic | undefined> {
  let text: string;
  try {
    text = await readFile(`${sysfs}/block/${kernelName}/stat`, 'utf8');
  } catch (error) {
    // One that is just going answers with another code than one that is gone.
    if (['ENOENT', 'EINVAL', 'ENODEV'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
  const fields = text.trim().split(/\s+/).map(Number);
  const [reads = Number.NaN, , , readWait = Number.NaN, writes = Number.NaN, , , writeWait = Number.NaN] = fields;
  const traffic = { requests: reads + writes, waitedMilliseconds: readWait + writeWait };
  return Object.values(traffic).every(Number.isSafeInteger) ? traffic : undefined;
}

/** Mean wait of a request between two looks, ms; undefined when there were too few to tell. */
export function meanWait(before: VolumeTraffic, after: VolumeTraffic): number | undefined {
  const requests = after.requests - before.requests;
  if (requests < fewestRequests) return undefined;
  return (after.waitedMilliseconds - before.waitedMilliseconds) / requests;
}

const fewestRequests = 8;
