import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { KannukiError, type Run, type RunOptions } from '@kannuki/core';
import { filterList, readGlobalFilter, rejecting } from '../boot/lvm-filter.ts';
import { runForJson } from '../facts/sources.ts';

/** A physical volume of a group as LVM sees it now. */
export interface GroupMember {
  readonly uuid: string;
  /** null when it is missing. */
  readonly path: string | null;
}

const seconds = 300;

function options(more: RunOptions = {}): RunOptions {
  // Where no udev runs LVM makes its nodes by itself, if it is told so (libdm/libdm-common.c).
  const environment = existsSync('/run/udev/control') ? {} : { DM_DISABLE_UDEV: '1' };
  return { timeoutSeconds: seconds, environment, ...more };
}

/**
 * How to call LVM so that it sees a group over this device: as the machine is set up, or, over a raw device that the machine's
 * filter hides, with that one pattern left out. The other patterns stay: raw disks of other volumes must not come up.
 */
async function sight(run: Run, rawDevice: string | null): Promise<readonly string[]> {
  if (rawDevice === null) return [];
  const current = await readGlobalFilter(run);
  const rest = current.filter((pattern) => pattern !== rejecting(rawDevice));
  if (rest.length === current.length) return [];
  return ['--config', `devices { global_filter = ${filterList(rest.length === 0 ? ['a|.*|'] : rest)} }`];
}

/** @param rawDevice the device below, where it is used raw */
export async function groupMembers(run: Run, group: string, rawDevice: string | null): Promise<readonly GroupMember[]> {
  const columns = ['--reportformat', 'json', '--options', 'pv_name,pv_uuid,pv_missing,vg_name', '--binary'];
  const { stdout } = await run('pvs', [...(await sight(run, rawDevice)), ...columns], options());
  const report = JSON.parse(stdout) as {
    readonly report: readonly { readonly pv: readonly Readonly<Record<string, string>>[] }[];
  };
  return (report.report[0]?.pv ?? [])
    .filter(({ vg_name }) => vg_name === group)
    .map(({ pv_uuid = '', pv_name = '', pv_missing }) => ({
      uuid: pv_uuid,
      path: pv_missing === '1' || !pv_name.startsWith('/') ? null : pv_name,
    }));
}

export async function activateGroup(run: Run, group: string, rawDevice: string | null): Promise<void> {
  await run('vgchange', ['--activate', 'y', ...(await sight(run, rawDevice)), '--', group], options());
}

/** vgchange(8): 5 = failed, of which a volume in use is the usual reason. */
const failed = 5;

/** @returns false when a volume of the group is in use by something; some may be inactive then */
export async function deactivateGroup(run: Run, group: string, rawDevice: string | null): Promise<boolean> {
  const args = ['--activate', 'n', ...(await sight(run, rawDevice)), '--', group];
  const { exitCode } = await run('vgchange', args, options({ accept: [0, failed] }));
  return exitCode === 0;
}

/** Refuses a group whose physical volume is seen elsewhere than it should be. */
export async function assertMemberIsAt(
  members: readonly GroupMember[],
  { uuid, group, device }: { readonly uuid: string; readonly group: string; readonly device: string },
): Promise<void> {
  const path = members.find((member) => member.uuid === uuid)?.path ?? null;
  if (path !== null && (await realpath(path)) === (await realpath(device))) return;
  throw new KannukiError('KNK-VOL-0050', { details: { group, device, seen: path ?? 'nothing' } });
}

/** A logical volume as far as its growing is concerned. */
export interface LogicalVolumeFact {
  readonly group: string;
  readonly name: string;
  /** `linear` for one that simply lies on its physical volumes. */
  readonly layout: string;
  /** Another volume is a snapshot of it, or it is one. */
  readonly hasSnapshots: boolean;
  readonly freeBytes: number;
}

/** The first row that a report of LVM has of one thing. */
async function reportOf<Row>(run: Run, program: 'lvs' | 'pvs', fields: string, device: string): Promise<Partial<Row>> {
  const form = ['--reportformat', 'json', '--units', 'b', '--nosuffix', '--binary', '--options', fields];
  const sources = { run: (name: string, args: readonly string[]) => run(name, args, options()) };
  return await runForJson(sources, program, [...form, '--', device], (reply) => {
    const report = (reply as { report?: readonly Record<string, readonly Partial<Row>[]>[] } | null)?.report?.[0];
    const row = report?.[program === 'lvs' ? 'lv' : 'pv']?.[0];
    if (row === undefined) throw new Error('nothing is told');
    return row;
  });
}

type LogicalVolumeRow = Readonly<Record<'vg_name' | 'lv_name' | 'lv_layout' | 'lv_role' | 'vg_free', string>>;

/** @param device /dev/mapper/GROUP-VOLUME */
export async function logicalVolumeAt(run: Run, device: string): Promise<LogicalVolumeFact> {
  const fields = 'vg_name,lv_name,lv_layout,lv_role,vg_free';
  const row = await reportOf<LogicalVolumeRow>(run, 'lvs', fields, device);
  const { vg_name: group = '', lv_name: name = '', lv_layout: layout = '', lv_role: role = '', vg_free } = row;
  return { group, name, layout, hasSnapshots: /snapshot|origin/.test(role), freeBytes: Number(vg_free) };
}

/** Gives a logical volume all that is free in its group. */
export async function extendOverFree(run: Run, { group, name }: LogicalVolumeFact): Promise<void> {
  await run('lvextend', ['--extents', '+100%FREE', '--', `${group}/${name}`], options());
}

/** Lets a physical volume see the size that its device has now. */
export async function resizePhysicalVolume(run: Run, device: string): Promise<void> {
  await run('pvresize', ['--', device], options());
}

/** Of a physical volume: what LVM gives out of it. */
export async function physicalVolumeBytes(run: Run, device: string): Promise<number> {
  const { pv_size } = await reportOf<{ readonly pv_size: string }>(run, 'pvs', 'pv_size', device);
  return Number(pv_size);
}
