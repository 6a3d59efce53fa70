import { realpath } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';
import { waitForDeviceFile } from '../../boot/units.ts';
import { isAbsence } from '../../facts/sources.ts';
import { readSwaps } from '../../facts/swaps-and-loops.ts';
import { activateGroup, assertMemberIsAt, deactivateGroup, groupMembers } from '../lvm.ts';
import { activeMappings, type Mapping } from '../mapping.ts';
import { makeMapperNodes, mountedDeviceNumber, mountVolume, probeSignature, unmountVolume } from '../mounting.ts';
import { unitsInTheWay } from '../open-files.ts';
import type { Use } from './use.ts';

/** A logical volume of the group that is mounted by a line of fstab. */
export interface LogicalMount {
  /** /dev/mapper/GROUP-VOLUME. */
  readonly device: string;
  readonly fileSystem: { readonly type: string; readonly uuid: string };
  readonly point: string;
  readonly options: string;
}

/** A physical volume of LVM: below it dm-crypt, above it a group whose volumes stay in fstab as they are. */
export interface PhysicalVolumeUse {
  readonly kind: 'physical-volume';
  readonly uuid: string;
  readonly group: { readonly name: string; readonly uuid: string };
  /** Outer mount points before inner ones. */
  readonly mounts: readonly LogicalMount[];
  /** Logical volumes that are swapped to. */
  readonly swaps: readonly string[];
  /** Lasting name of the raw device, which LVM must not see any more. */
  readonly rawDevice: string;
}

export class PhysicalVolume implements Use {
  readonly #use: PhysicalVolumeUse;

  constructor(use: PhysicalVolumeUse) {
    this.#use = use;
  }

  get name(): string {
    return this.#use.rawDevice;
  }

  get contentType(): string {
    return 'LVM2_member';
  }

  get wanted(): string {
    return `LVM2_member ${this.#use.uuid}`;
  }

  async isInUse(): Promise<boolean> {
    return (await this.#mappings()).length > 0;
  }

  /** The whole group is let go of: a volume may lie on several physical volumes, and LVM looks at all of them at once. */
  async leave(run: Run): Promise<boolean> {
    const raw = await this.#rawInUse();
    if (await this.#leaveAll(run, raw)) return true;
    await activateGroup(run, this.#use.group.name, raw);
    await this.#enterAll(run);
    return false;
  }

  async #leaveAll(run: Run, raw: string | null): Promise<boolean> {
    for (const { point } of this.#use.mounts.toReversed()) {
      if ((await mountedDeviceNumber(run, point)) !== undefined && !(await unmountVolume(run, point))) return false;
    }
    for (const swap of await this.#activeSwaps()) await run('swapoff', ['--', swap], { timeoutSeconds: 600 });
    return deactivateGroup(run, this.#use.group.name, raw);
  }

  /** As long as other physical volumes of the group are locked nothing can be done; the last one to come does it. */
  async enter(device: string, run: Run): Promise<void> {
    const { uuid, group, rawDevice } = this.#use;
    const raw = device === rawDevice ? rawDevice : null;
    const members = await groupMembers(run, group.name, raw);
    await assertMemberIsAt(members, { uuid, group: group.name, device });
    if (members.some(({ path }) => path === null)) return;
    await activateGroup(run, group.name, raw);
    await makeMapperNodes(run);
    await this.#enterAll(run);
  }

  async #enterAll(run: Run): Promise<void> {
    for (const { device, point, options, fileSystem } of this.#use.mounts) {
      if ((await mountedDeviceNumber(run, point)) !== undefined) continue;
      await mountVolume(run, { device, point, fileSystem: fileSystem.type, options });
    }
    const active = await this.#activeSwaps();
    for (const swap of this.#use.swaps) if (!active.includes(swap)) await run('swapon', ['--', swap]);
  }

  async #activeSwaps(): Promise<readonly string[]> {
    const paths = await Promise.all((await readSwaps({ root: '/' })).map(({ path }) => realpath(path)));
    const active: string[] = [];
    for (const swap of this.#use.swaps) if (paths.includes(await realPathOf(swap))) active.push(swap);
    return active;
  }

  /** LVM names its mappings after the ids of group and volume, without their hyphens. */
  async #mappings(): Promise<readonly Mapping[]> {
    const prefix = `LVM-${this.#use.group.uuid.replaceAll('-', '')}`;
    return (await activeMappings()).filter(({ uuid }) => uuid.startsWith(prefix));
  }

  /** The raw device when the group's volumes lie on it now; null when they lie on the mapping, or not on it at all. */
  async #rawInUse(): Promise<string | null> {
    const kernelName = basename(await realPathOf(this.#use.rawDevice));
    return (await this.#mappings()).some(({ below }) => below.includes(kernelName)) ? this.#use.rawDevice : null;
  }

  async probe(device: string, run: Run): Promise<string | undefined> {
    const found = await probeSignature(run, device, 'raid');
    return found === undefined ? undefined : `${found.type} ${found.uuid}`;
  }

  get wasInUse(): boolean {
    return true;
  }

  async makeAnew(): Promise<never> {
    throw new Error(`${this.name} holds data`);
  }

  enterByHand(device: string): string {
    const { group, mounts } = this.#use;
    const commands = mounts.map((mount) => `mount -t ${mount.fileSystem.type} ${mount.device} ${mount.point}`);
    return [activateByHand(group.name, device), ...commands].join(' && ');
  }

  leaveByHand(): string {
    const { group, mounts } = this.#use;
    return [...mounts.toReversed().map(({ point }) => `umount ${point}`), `vgchange -an ${group.name}`].join(' && ');
  }

  async unitsInTheWay(run: Run): Promise<readonly string[]> {
    const units: string[] = [];
    for (const { point } of this.#use.mounts) units.push(...(await unitsInTheWay(point, run)));
    return [...new Set(units)];
  }

  /** The logical volumes keep their lines in fstab; the boot only has to wait for them as long as for the disk below. */
  bootEntries(): BootEntries {
    const { mounts, swaps, rawDevice } = this.#use;
    const devices = [
      ...mounts.flatMap(({ device, fileSystem }) => [device, `/dev/disk/by-uuid/${fileSystem.uuid}`]),
      ...swaps,
    ];
    return {
      mountsLine: null,
      units: devices.map(waitForDeviceFile),
      conversionUnits: [],
      fstab: [],
      hiddenFromLvm: rawDevice,
    };
  }
}

/** A node that is not there yet is in use by nobody. */
async function realPathOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isAbsence(error)) return path;
    throw error;
  }
}

function activateByHand(group: string, device: string): string {
  return `vgchange -ay --config 'devices { global_filter = [ "a|^${device}$|", "r|.*|" ] }' ${group}`;
}

export function isPhysicalVolumeUse(use: unknown): use is PhysicalVolumeUse {
  const volume = use as Partial<PhysicalVolumeUse> | null | undefined;
  return (
    volume?.kind === 'physical-volume' &&
    typeof volume.uuid === 'string' &&
    typeof volume.group?.name === 'string' &&
    typeof volume.group.uuid === 'string' &&
    typeof volume.rawDevice === 'string' &&
    Array.isArray(volume.mounts) &&
    Array.isArray(volume.swaps)
  );
}
