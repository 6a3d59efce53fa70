import type { Goal, VolumeGoal } from '@kannuki/core';

const maximumVolumes = 64;
const volumeId = /^[0-9A-F]{4}-[0-9A-F]{4}$/;

/** Reads a goal from the wire or from our own file. @returns undefined for anything that is not one */
export function parseGoal(text: string): Goal | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!isRecord(value)) return undefined;
  const { generation, volumes, keyVolume } = value;
  if (typeof generation !== 'number' || !Number.isSafeInteger(generation) || generation < 0) return undefined;
  if (!Array.isArray(volumes) || volumes.length > maximumVolumes || !volumes.every(isVolumeGoal)) return undefined;
  if (keyVolume === null) return { generation, volumes, keyVolume };
  if (!isRecord(keyVolume) || typeof keyVolume.fileSystemUuid !== 'string') return undefined;
  if (!volumeId.test(keyVolume.fileSystemUuid)) return undefined;
  return { generation, volumes, keyVolume: { fileSystemUuid: keyVolume.fileSystemUuid } };
}

function isVolumeGoal(value: unknown): value is VolumeGoal {
  if (!isRecord(value)) return false;
  const { target, wanted, vaultName, vaultUri, kekId, stopServices } = value;
  return (
    isText(target) &&
    target.startsWith('/') &&
    wanted === 'Encrypted' &&
    isText(vaultName) &&
    /^[0-9A-Za-z-]{3,24}$/.test(vaultName) &&
    isText(vaultUri) &&
    (kekId === null || isText(kekId)) &&
    typeof stopServices === 'boolean'
  );
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 4096;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
