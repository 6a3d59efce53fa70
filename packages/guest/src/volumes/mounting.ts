import { hasCode, type Run } from '@kannuki/core';

const busyTries = 20;
const busyPauseMilliseconds = 100;
/** umount(8): 32 = the mount failed; busy is one of its reasons and has no code of its own. */
const mountFailure = 32;

export interface MountRequest {
  readonly device: string;
  readonly point: string;
  readonly fileSystem: string;
  readonly options: string;
}

export async function mountVolume(run: Run, request: MountRequest): Promise<void> {
  await run('mount', ['-t', request.fileSystem, '-o', request.options, '--', request.device, request.point], {
    timeoutSeconds: 300,
  });
}

/**
 * Unmounts, and waits up to 2 s for someone who is just looking (a monitoring agent, a shell's completion).
 * @returns false when it stayed busy
 */
export async function unmountVolume(run: Run, point: string): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    const { exitCode } = await run('umount', ['--', point], { accept: [0, mountFailure], timeoutSeconds: 300 });
    if (exitCode === 0) return true;
    if (attempt === busyTries) return false;
    await new Promise((resolve) => setTimeout(resolve, busyPauseMilliseconds));
  }
}

interface FindmntReply {
  readonly filesystems: readonly { readonly source: string; readonly 'maj:min': string }[];
}

/** Device number (`MAJ:MIN`) of what is mounted at a mount point now; undefined when nothing is. */
export async function mountedDeviceNumber(run: Run, point: string): Promise<string | undefined> {
  const { exitCode, stdout } = await run('findmnt', ['--json', '--output', 'SOURCE,MAJ:MIN', '--mountpoint', point], {
    accept: [0, 1],
  });
  if (exitCode === 1) return undefined;
  return (JSON.parse(stdout) as FindmntReply).filesystems.at(-1)?.['maj:min'];
}

/** What a device holds, read from the device itself and not from udev's memory of it. */
export function probeFileSystem(run: Run, device: string): Promise<{ type: string; uuid: string } | undefined> {
  return probeSignature(run, device, 'filesystem');
}

/** @param usage blkid's word for a kind of content; `raid` is that of LVM too */
export async function probeSignature(
  run: Run,
  device: string,
  usage: 'filesystem' | 'raid',
): Promise<{ type: string; uuid: string } | undefined> {
  const { exitCode, stdout } = await run('blkid', ['--probe', '--usages', usage, '--output', 'export', device], {
    accept: [0, 2],
  });
  if (exitCode === 2) return undefined;
  // blkid has no JSON; `export` is its format for programs: one KEY=value a line, values escaped.
  const fields = new Map(
    stdout.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const type = fields.get('TYPE');
  const uuid = fields.get('UUID');
  return type === undefined || uuid === undefined ? undefined : { type, uuid };
}

/** Without a running udev the nodes below /dev/mapper are made by hand (lab machines, rescue systems). */
export async function makeMapperNodes(run: Run): Promise<void> {
  try {
    await run('dmsetup', ['mknodes']);
  } catch (error) {
    if (!hasCode(error, 'KNK-CMD-0002')) throw error;
  }
}
