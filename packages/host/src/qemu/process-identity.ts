import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';

/**
 * Whether a process is the QEMU of one machine. A process id alone says nothing after a crash or a reboot of the host,
 * since ids are used again; the machine's own UUID in the arguments of a QEMU program does.
 * @param uuid of the machine, random, made when the machine was made
 */
export async function isMachineProcess(pid: number, uuid: string): Promise<boolean> {
  const [commandLine, status] = await Promise.all([readProc(`/proc/${pid}/cmdline`), readProc(`/proc/${pid}/stat`)]);
  if (commandLine === undefined || status === undefined) return false;
  // After the name in parentheses, which may contain anything, comes the state: Z and X are dead.
  const state = status.slice(status.lastIndexOf(')') + 2, status.lastIndexOf(')') + 3);
  if (state === 'Z' || state === 'X') return false;
  const words = commandLine.split('\0');
  const program = basename(words[0] ?? '');
  return (
    program.startsWith('qemu-system-') && words.some((word, index) => word === '-uuid' && words[index + 1] === uuid)
  );
}

/** The process id that QEMU wrote; undefined where there is none. */
export async function readPidFile(path: string): Promise<number | undefined> {
  const text = await readProc(path);
  const pid = Number(text?.trim());
  return text !== undefined && Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
