import type { Run } from '@kannuki/core';
import { unitsToStop } from '../checks/open-files.ts';
import { readOpenFiles } from '../facts/open-files.ts';
import { mountedDeviceNumber } from './mounting.ts';

/** The units that hold files open on a mount point at this moment, their triggers first. */
export async function unitsInTheWay(point: string, run: Run): Promise<readonly string[]> {
  const number = await mountedDeviceNumber(run, point);
  if (number === undefined) return [];
  const { openFiles, foreignMounts } = await readOpenFiles({ root: '/', run }, new Set([number]));
  return unitsToStop([...openFiles, ...foreignMounts].filter((user) => user.number === number));
}
