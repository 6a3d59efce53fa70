import { mkdir } from 'node:fs/promises';
import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';
import { fstabField, movedLine } from '../../boot/fstab-lines.ts';
import { mountConversionUnitFile, mountUnitFiles } from '../../boot/units.ts';
import { mountVolume, probeFileSystem } from '../mounting.ts';
import { AtMountPoint } from './at-mount-point.ts';
import type { Use } from './use.ts';

/** A file system that is mounted at one place by a line of fstab. */
export interface MountUse {
  readonly kind: 'mount';
  readonly fileSystem: { readonly type: string; readonly uuid: string };
  readonly point: string;
  /** Mount options of fstab(5). */
  readonly options: string;
  readonly dump: number;
  readonly pass: number;
  /** The line of /etc/fstab as it was, without its newline; null for a volume that never had one. */
  readonly originalLine: string | null;
}

export class MountedFileSystem extends AtMountPoint implements Use {
  readonly #use: MountUse;

  constructor(use: MountUse) {
    super(use.point);
    this.#use = use;
  }

  get contentType(): string {
    return this.#use.fileSystem.type;
  }

  get wanted(): string {
    return `${this.#use.fileSystem.type} ${this.#use.fileSystem.uuid}`;
  }

  async enter(device: string, run: Run): Promise<void> {
    const { point, options, fileSystem } = this.#use;
    // The folder of a volume that was made on a blank disk may be as new as the volume.
    await mkdir(point, { recursive: true });
    await mountVolume(run, { device, point, fileSystem: fileSystem.type, options });
  }

  async probe(device: string, run: Run): Promise<string | undefined> {
    const found = await probeFileSystem(run, device);
    return found === undefined ? undefined : `${found.type} ${found.uuid}`;
  }

  async makeAnew(): Promise<never> {
    throw new Error(`${this.#use.point} holds files: it is never made anew`);
  }

  enterByHand(device: string): string {
    return `mount -t ${this.#use.fileSystem.type} ${device} ${this.#use.point}`;
  }

  bootEntries(mapper: string): BootEntries {
    const { point, options, dump, pass, originalLine, fileSystem } = this.#use;
    const fields = [`/dev/mapper/${mapper}`, fstabField(point), fileSystem.type, options, dump, pass];
    return {
      mountsLine: fields.join(' '),
      units: mountUnitFiles({ mapper, point, fileSystem: fileSystem.type, options, pass }),
      conversionUnits: [mountConversionUnitFile(mapper, point)],
      fstab: originalLine === null ? [] : [{ original: originalLine, moved: movedLine(originalLine) }],
    };
  }
}

export function isMountUse(use: unknown): use is MountUse {
  const mount = use as Partial<MountUse> | null | undefined;
  return (
    mount?.kind === 'mount' &&
    typeof mount.point === 'string' &&
    (mount.originalLine === null || typeof mount.originalLine === 'string') &&
    typeof mount.fileSystem?.uuid === 'string' &&
    typeof mount.fileSystem.type === 'string'
  );
}
