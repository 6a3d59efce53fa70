import type { Finding } from '@kannuki/core';
import type { GuestFacts, Volume } from '../facts/model.ts';
import { isPhysicalVolume } from '../targets/volume-groups.ts';
import { checkClones, checkLastingName } from './clones.ts';
import { checkCryptsetup } from './cryptsetup.ts';
import { checkFstab, checkFstabLines } from './fstab.ts';
import { checkMemory, checkSpaces } from './machine.ts';
import { checkModules } from './modules.ts';
import {
  checkHardening,
  checkMounted,
  checkNesting,
  checkOtherMounts,
  checkOverOsFolder,
  checkWritable,
} from './mounts.ts';
import { checkOpenFiles } from './open-files.ts';
import { checkPhysicalVolume } from './physical-volume.ts';
import { checkSwapFiles } from './random-key.ts';
import { checkKind, isEncrypted } from './skip.ts';

export interface CheckRequest {
  readonly volumes: readonly Volume[];
  /**
   * Whether the volumes were named one by one. Else they are all of a type, and one that cannot be encrypted is skipped and
   * reported with its reason (REQ-090), while the others go on.
   */
  readonly named: boolean;
  /** Services with open files may be stopped for the unmount. */
  readonly stopServices: boolean;
}

/**
 * Everything that stands in the way of encrypting these volumes in place: the machine first, then volume by volume. All
 * findings, not the first; pure.
 */
export function checkVolumes(facts: GuestFacts, request: CheckRequest): readonly Finding[] {
  const volumes = request.volumes.filter((volume) => request.named || canBeEncrypted(facts, volume));
  return [
    ...checkMachine(facts, volumes.length),
    ...request.volumes.flatMap((volume) => checkVolume(facts, volume, request)),
  ];
}

/** Whether a volume is of a kind that is encrypted and is mounted; else a command for all volumes skips it. */
export function canBeEncrypted(facts: GuestFacts, volume: Volume): boolean {
  return volume.mount !== null && checkKind(facts, volume, 'refuse').length === 0;
}

export function checkMachine(facts: GuestFacts, volumes: number): Finding[] {
  return [
    ...checkModules(facts),
    ...checkHardening(facts),
    ...checkCryptsetup(facts),
    ...checkMemory(facts),
    ...checkSpaces(facts, Math.max(volumes, 1)),
    ...checkFstabLines(facts),
    ...checkSwapFiles(facts),
  ];
}

function checkVolume(facts: GuestFacts, volume: Volume, { named, stopServices }: CheckRequest): Finding[] {
  if (!named && !canBeEncrypted(facts, volume)) return skipped(facts, volume);
  if (isPhysicalVolume(volume.device) && !isEncrypted(facts, volume.device)) {
    return [...checkKind(facts, volume, 'refuse'), ...checkPhysicalVolume(facts, volume, stopServices)];
  }
  return [
    ...checkKind(facts, volume, 'refuse'),
    ...checkMounted(facts, volume),
    ...checkWritable(facts, volume),
    ...(volume.mount === null ? [] : checkFstab(facts, volume)),
    ...checkNesting(facts, volume),
    ...checkOtherMounts(facts, volume),
    ...checkOverOsFolder(facts, volume),
    ...checkClones(facts, volume),
    ...checkLastingName(facts, volume),
    ...checkOpenFiles(facts, volume, stopServices),
  ];
}

/**
 * A mounted volume that stays plain deserves a warning; a disk with nothing on it, or one that is encrypted already, a
 * note; a line of fstab that fails a refusal.
 */
function skipped(facts: GuestFacts, volume: Volume): Finding[] {
  const staysPlain = volume.mount !== null && !isEncrypted(facts, volume.device);
  const reasons = checkKind(facts, volume, staysPlain ? 'warn' : 'note');
  if (reasons.length > 0) return reasons;
  return checkMounted(facts, volume).map((finding) =>
    finding.rule === 'REQ-047' ? finding : { ...finding, severity: 'note' },
  );
}
