import { existsSync } from 'node:fs';
import type { Run } from '@kannuki/core';

/** sd_booted(3): whether systemd is the service manager of this machine. */
export function isSystemdRunning(): boolean {
  return existsSync('/run/systemd/system');
}

const stopSeconds = 120;

/** Stops units that hold the volume open, so that it can be unmounted (REQ-050). */
export async function stopUnits(run: Run, units: readonly string[]): Promise<void> {
  if (units.length === 0) return;
  await run('systemctl', ['stop', '--', ...units], { timeoutSeconds: stopSeconds });
}

/** Starts what was stopped; all are tried before the first failure is told. */
export async function startUnits(run: Run, units: readonly string[]): Promise<void> {
  if (units.length === 0) return;
  await run('systemctl', ['start', '--no-block', '--', ...units], { timeoutSeconds: stopSeconds });
}

/** Makes systemd read changed units, fstab and crypttab; nothing to do where systemd does not run. */
export async function reloadUnits(run: Run): Promise<void> {
  if (isSystemdRunning()) await run('systemctl', ['daemon-reload'], { timeoutSeconds: stopSeconds });
}
