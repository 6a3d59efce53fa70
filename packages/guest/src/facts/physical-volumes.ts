import { hasCode } from '@kannuki/core';
import type { BlockDevice, PhysicalVolumeFact } from './model.ts';
import { type FactSources, runForJson } from './sources.ts';

const columns = [
  'pv_name',
  'pv_uuid',
  'pv_duplicate',
  'vg_name',
  'vg_uuid',
  'vg_missing_pv_count',
  'vg_exported',
  'vg_shared',
].join(',');

/**
 * The physical volumes of LVM and the groups that they belong to; lvmreport(7). Not asked where no device is one, and
 * empty where LVM is not installed: then nothing uses them either.
 */
export async function readPhysicalVolumes(
  sources: Pick<FactSources, 'run'>,
  devices: readonly BlockDevice[],
): Promise<readonly PhysicalVolumeFact[]> {
  if (!devices.some(({ signature }) => signature?.type === 'LVM2_member')) return [];
  const args = ['--reportformat', 'json', '--units', 'b', '--nosuffix', '--binary', '--options', columns];
  try {
    return await runForJson(sources, 'pvs', args, (reply) => readReport(reply, devices));
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return [];
    throw error;
  }
}

function readReport(reply: unknown, devices: readonly BlockDevice[]): readonly PhysicalVolumeFact[] {
  const rows = (reply as { report?: readonly { pv?: unknown }[] } | null)?.report?.[0]?.pv;
  if (!Array.isArray(rows) || rows.length > 10_000) throw new Error('no list of physical volumes');
  return (rows as readonly Readonly<Record<string, unknown>>[]).flatMap((row) => {
    const path = text(row, 'pv_name');
    const device = devices.find((one) => one.path === path || one.links.includes(path));
    // A volume that is missing is in the report as [unknown].
    if (device === undefined) return [];
    const group = text(row, 'vg_name');
    return [
      {
        device: device.kernelName,
        uuid: text(row, 'pv_uuid'),
        isDuplicate: flag(row, 'pv_duplicate'),
        group:
          group === ''
            ? null
            : {
                name: group,
                uuid: text(row, 'vg_uuid'),
                missingCount: number(row, 'vg_missing_pv_count'),
                isElsewhere: flag(row, 'vg_exported') || flag(row, 'vg_shared'),
              },
      },
    ];
  });
}

type Row = Readonly<Record<string, unknown>>;

function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== 'string') throw new Error(`${name} is no text`);
  return value.trim();
}

/** LVM writes numbers as text, and nothing where there is none. */
function number(row: Row, name: string): number {
  const value = Number(text(row, name));
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`${name} is no number`);
  return value;
}

/** `--binary`: 1, 0, or -1 for unknown. */
function flag(row: Row, name: string): boolean {
  return text(row, name) === '1';
}
