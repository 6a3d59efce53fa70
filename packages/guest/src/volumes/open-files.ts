import type { Run } from '@kannuki/core';
export async function unitsInTheWay(_point: string, _run: Run): Promise<readonly string[]> {
  return [];
}
