import type { Finding } from '@kannuki/core';
import type { VolumeType } from '@kannuki/support';
import { readGuestFacts } from '../facts/guest-facts.ts';
import type { GuestFacts, Volume } from '../facts/model.ts';
import { type FactSources, thisMachine } from '../facts/sources.ts';
import { resolveTargets, volumesOfType } from '../targets/targets.ts';
import { canBeEncrypted, checkVolumes } from './check-volumes.ts';

export interface MachineCheckRequest {
  /** Mount points, devices, links or tags; none means all volumes of `volumeType`. */
  readonly targets: readonly string[];
  /** Default DATA. */
  readonly volumeType?: VolumeType;
  readonly stopServices: boolean;
}

export interface MachineCheck {
  readonly facts: GuestFacts;
  /** What would be encrypted: every volume that was named, or all of the type that are not skipped. */
  readonly volumes: readonly Volume[];
  readonly findings: readonly Finding[];
}

/**
 * Reads the facts of this machine and checks what the targets mean; changes nothing.
 * @throws KannukiError KNK-VOL-0100 when a target names nothing, 0102 without root, 0103 when a target lies on no device
 */
export async function checkMachineVolumes(
  request: MachineCheckRequest,
  sources: FactSources = thisMachine,
): Promise<MachineCheck> {
  const { targets, volumeType = 'DATA', stopServices } = request;
  const facts = await readGuestFacts(sources);
  const named = targets.length > 0;
  const volumes = named ? await resolveTargets(facts, targets, sources) : volumesOfType(facts, volumeType);
  return {
    facts,
    volumes: named ? volumes : volumes.filter((volume) => canBeEncrypted(facts, volume)),
    findings: checkVolumes(facts, { volumes, named, stopServices }),
  };
}
