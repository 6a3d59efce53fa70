import type { Run } from '@kannuki/core';
import type { BootEntries } from '../../boot/boot-entries.ts';
import { fstabField, movedLine } from '../../boot/fstab-lines.ts';
import { mountUnitFiles } from '../../boot/units.ts';
import { mountVolume, probeFileSystem } from '../mounting.ts';
import { AtMountPoint } from './at-mount-point.ts';
import type { Use } from './use.ts';

/** The temporary disk of a VM: a file system that is made anew at each boot. */
export interface TemporaryUse {
  readonly kind: 'temporary';
  readonly point: string;
  readonly fileSystem: 'ext4' | 'xfs';
  /** Mount options of fstab(5), without what belonged to cloud-init. */
  readonly options: string;
  /** null where the Azure agent mounted it, and no line tells of it. */
  readonly originalLine: string | null;
}

export class TemporaryFileSystem extends AtMountPoint implements Use {
  readonly #use: TemporaryUse;

  constructor(use: TemporaryUse) {
    super(use.point);
    this.#use = use;
  }

  get contentType(): string {
    return this.#use.fileSystem;
  }

  get wanted(): string {
    return this.#use.fileSystem;
  }

  async enter(device: string, run: Run): Promise<void> {
    const { point, options, fileSystem } = this.#use;
    await mountVolume(run, { device, point, fileSystem, options });
  }

  async probe(device: string, run: Run): Promise<string | undefined> {
    return (await probeFileSystem(run, device))?.type;
  }

  async makeAnew(device: string, run: Run): Promise<void> {
    const { fileSystem } = this.#use;
    await run(`mkfs.${fileSystem}`, ['-q', device], { timeoutSeconds: 3600 });
  }

  enterByHand(device: string): string {
    return `mkfs.${this.#use.fileSystem} ${device} && mount ${device} ${this.#use.point}`;
  }

  bootEntries(mapper: string): BootEntries {
    const { point, options, fileSystem, originalLine } = this.#use;
    return {
      mountsLine: `/dev/mapper/${mapper} ${fstabField(point)} ${fileSystem} ${options} 0 0`,
      // Just made: there is nothing to check.
      units: mountUnitFiles({ mapper, point, fileSystem, options, pass: 0 }),
      conversionUnits: [],
      fstab: originalLine === null ? [] : [{ original: originalLine, moved: movedLine(originalLine) }],
    };
  }
}

export function isTemporaryUse(use: unknown): use is TemporaryUse {
  const temporary = use as Partial<TemporaryUse> | null | undefined;
  return (
    temporary?.kind === 'temporary' &&
    typeof temporary.point === 'string' &&
    (temporary.fileSystem === 'ext4' || temporary.fileSystem === 'xfs') &&
    typeof temporary.options === 'string' &&
    (temporary.originalLine === null || typeof temporary.originalLine === 'string')
  );
}
