import type { Finding, Severity, Text } from '@kannuki/core';
import type { Volume } from '../facts/model.ts';

/** One finding; a function so that the checks read as sentences. */
export function found(severity: Severity, rule: string, subject: string, message: Text, remedy: Text): Finding {
  return { rule, severity, subject, message, remedy };
}

/** What people call a volume: its mount point, else its device. */
export function nameOf(volume: Volume): string {
  return volume.mount?.point ?? volume.device.path;
}

/** Binary units, as few digits as people need. */
export function mebibytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MiB`;
}
