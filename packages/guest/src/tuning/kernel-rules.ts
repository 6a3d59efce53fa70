import { type FactSources, readText } from '../facts/sources.ts';

/** Version of the mainline or stable kernel that the running one is made from; null when it does not say. */
export type KernelVersion = readonly [number, number, number];

export interface KernelFact {
  /** uname -r, `6.1.0-44-cloud-amd64`. */
  readonly release: string;
  readonly version: KernelVersion | null;
}

/**
 * Distributions put their own count into the release ("6.1.0-44", "5.15.0-91"), which hides the stable version; they tell it
 * elsewhere: Debian in /proc/version, Ubuntu in /proc/version_signature. Where nobody tells, a third number of 0 stays: too old
 * rather than too new.
 */
export async function readKernel(sources: Pick<FactSources, 'root'>): Promise<KernelFact> {
  const release = ((await readText(sources, '/proc/sys/kernel/osrelease')) ?? '').trim();
  const banner = (await readText(sources, '/proc/version')) ?? '';
  const signature = (await readText(sources, '/proc/version_signature')) ?? '';
  const told =
    /^Ubuntu \S+ (\d+\.\d+\.\d+)\s*$/.exec(signature)?.[1] ?? / Debian (\d+\.\d+\.\d+)-\d/.exec(banner)?.[1] ?? release;
  const [, major, minor, patch] = /^(\d{1,3})\.(\d{1,3})(?:\.(\d{1,5}))?/.exec(told) ?? [];
  if (major === undefined || minor === undefined) return { release, version: null };
  return { release, version: [Number(major), Number(minor), Number(patch ?? 0)] };
}

/**
 * Linux 5.9 to 6.7 may free a tasklet of dm-crypt that is still in use when a read is decrypted outside of the work queue
 * (CVE-2024-26718, "dm-crypt, dm-verity: disable tasklets"): memory corruption below somebody's disk. Mended in Linux 6.8
 * and in these stable versions; 5.10 never got it.
 */
const mendedSince: readonly KernelVersion[] = [
  [5, 15, 169],
  [6, 1, 79],
  [6, 6, 18],
  [6, 7, 6],
];

/** Which of the two flags the kernel has, and has without a known error. */
export function flagsOf({ version }: KernelFact): { readonly read: boolean; readonly write: boolean } {
  if (version === null) return { read: false, write: false };
  const mended =
    isAtLeast(version, [6, 8, 0]) ||
    mendedSince.some((since) => since[0] === version[0] && since[1] === version[1] && isAtLeast(version, since));
  // Writes are submitted by processes, so they never came to a tasklet; the first year's errors are behind 5.11 all the same.
  return { read: mended, write: mended || isAtLeast(version, [5, 11, 0]) };
}

function isAtLeast(version: KernelVersion, least: KernelVersion): boolean {
  for (const [index, number] of version.entries()) {
    const other = least[index] ?? 0;
    if (number !== other) return number > other;
  }
  return true;
}
