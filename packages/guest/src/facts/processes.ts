import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { ForeignMount, MountFact } from './model.ts';
import { isInside, mountAt, parseMountTable } from './mount-table.ts';
import { isAbsence } from './sources.ts';

/** A process with files open on devices that were asked for. */
export interface FileUser {
  readonly pid: number;
  readonly command: string;
  readonly cgroup: string;
  /** Some paths by device number. */
  readonly paths: ReadonlyMap<string, readonly string[]>;
}

/** A mount in another namespace, with the cgroup of the process that it was found by. */
export type HeldMount = Omit<ForeignMount, 'unit'> & { readonly cgroup: string };

export interface ProcessTable {
  readonly users: readonly FileUser[];
  readonly foreignMounts: readonly HeldMount[];
  /** Processes that the kernel does not let us look into, in spite of root. */
  readonly hiddenProcesses: readonly number[];
}

const pathsShown = 5;
/** A process with more is judged by its first ones: one is enough to keep a file system busy. */
const descriptorLimit = 100_000;

/**
 * Walks /proc for whoever keeps one of the devices busy: open files, current folder, root, program, mapped files and
 * bound sockets. Nothing is opened and no file system is asked (a dead NFS server would hold us for ever): the mount of
 * a descriptor is in its fdinfo, the device of a mapping in maps. Calls are synchronous since they never wait for a disk
 * and there are many thousands.
 * @param numbers device numbers `MAJ:MIN`
 */
export function readProcesses(root: string, numbers: ReadonlySet<string>): ProcessTable {
  const proc = join(root, 'proc');
  const walk = new Walk(proc, numbers);
  for (const name of readdirSync(proc)) if (/^[1-9]\d*$/.test(name)) walk.visit(Number(name));
  return walk;
}

class Walk implements ProcessTable {
  readonly users: FileUser[] = [];
  readonly foreignMounts: HeldMount[] = [];
  readonly hiddenProcesses: number[] = [];
  readonly #proc: string;
  readonly #numbers: ReadonlySet<string>;
  readonly #ownNamespace: string;
  readonly #ownMounts: readonly MountFact[];
  /** Mounts by mount namespace. */
  readonly #namespaces = new Map<string, readonly MountFact[]>();
  readonly #sockets: ReadonlyMap<string, string>;
  #wasDenied = false;

  constructor(proc: string, numbers: ReadonlySet<string>) {
    this.#proc = proc;
    this.#numbers = numbers;
    this.#ownNamespace = this.#link(join(proc, 'self/ns/mnt')) ?? '';
    this.#ownMounts = parseMountTable(this.#text(join(proc, 'self/mountinfo')));
    this.#namespaces.set(this.#ownNamespace, this.#ownMounts);
    this.#sockets = boundSockets(this.#text(join(proc, 'net/unix')));
  }

  visit(pid: number): void {
    this.#wasDenied = false;
    this.#lookInto(pid);
    if (this.#wasDenied) this.hiddenProcesses.push(pid);
  }

  #lookInto(pid: number): void {
    const folder = join(this.#proc, String(pid));
    const namespace = this.#link(join(folder, 'ns/mnt'));
    // A kernel thread has no files; a process that has ended has none any more.
    if (namespace === undefined) return;
    const command = this.#text(join(folder, 'comm')).trim();
    const mounts = this.#mountsOf(namespace, folder, pid, command);
    const paths = new Map<string, Set<string>>();
    const add = (number: string | undefined, path: string): void => {
      if (number === undefined || !this.#numbers.has(number)) return;
      const known = paths.get(number) ?? new Set<string>();
      if (known.size < pathsShown) known.add(path);
      paths.set(number, known);
    };
    for (const name of ['cwd', 'root', 'exe']) {
      const path = this.#link(join(folder, name));
      if (path?.startsWith('/') === true) add(mountAt(mounts, path)?.number, path);
    }
    this.#addDescriptors(folder, mounts, add);
    for (const [number, path] of mappedFiles(this.#text(join(folder, 'maps')))) add(number, path);
    if (paths.size === 0) return;
    const cgroup = this.#text(join(folder, 'cgroup'));
    this.users.push({ pid, command, cgroup, paths: new Map([...paths].map(([number, set]) => [number, [...set]])) });
  }

  #addDescriptors(
    folder: string,
    mounts: readonly MountFact[],
    add: (number: string | undefined, path: string) => void,
  ): void {
    const byId = new Map(mounts.map((mount) => [mount.id, mount.number]));
    for (const descriptor of this.#list(join(folder, 'fd')).slice(0, descriptorLimit)) {
      const path = this.#link(join(folder, 'fd', descriptor));
      if (path === undefined) continue;
      const inode = /^socket:\[(\d+)\]$/.exec(path)?.[1];
      const socket = inode === undefined ? undefined : this.#sockets.get(inode);
      if (socket !== undefined) add(mountAt(mounts, socket)?.number, socket);
      if (!path.startsWith('/') || path.startsWith('/dev/')) continue;
      const id = /^mnt_id:\s*(\d+)$/m.exec(this.#text(join(folder, 'fdinfo', descriptor)))?.[1];
      // A file on a mount that was taken away lazily has an id that no table knows: then its path has to do.
      add(byId.get(Number(id)) ?? mountAt(mounts, path)?.number, path);
    }
  }

  /** The mounts that a process sees; the first process of a foreign namespace also brings what that namespace holds. */
  #mountsOf(namespace: string, folder: string, pid: number, command: string): readonly MountFact[] {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const mounts = parseMountTable(this.#text(join(folder, 'mountinfo')));
    this.#namespaces.set(namespace, mounts);
    for (const mount of mounts) {
      if (!this.#numbers.has(mount.number) || this.#goesWithOurs(mount, mounts)) continue;
      const cgroup = this.#text(join(folder, 'cgroup'));
      this.foreignMounts.push({ number: mount.number, point: mount.point, pid, command, cgroup });
    }
    return mounts;
  }

  /** Unmounting reaches a copy when the mount that carries it takes its changes from the one that carries ours; mount_namespaces(7). */
  #goesWithOurs(mount: MountFact, mounts: readonly MountFact[]): boolean {
    const carrier = mounts.find(({ id }) => id === mount.parentId);
    const groups = [carrier?.sharedGroup, carrier?.masterGroup].filter(
      (group) => group !== null && group !== undefined,
    );
    return this.#ownMounts.some((own) => {
      if (own.number !== mount.number || !isInside(mount.point, own.point)) return false;
      const ownCarrier = this.#ownMounts.find(({ id }) => id === own.parentId);
      return ownCarrier !== undefined && ownCarrier.sharedGroup !== null && groups.includes(ownCarrier.sharedGroup);
    });
  }

  #text(path: string): string {
    return this.#read(() => readFileSync(path, 'utf8')) ?? '';
  }

  #link(path: string): string | undefined {
    return this.#read(() => readlinkSync(path));
  }

  #list(path: string): readonly string[] {
    return this.#read(() => readdirSync(path)) ?? [];
  }

  /** Processes come and go while we look, and a sandbox may hide some. */
  #read<Value>(read: () => Value): Value | undefined {
    try {
      return read();
    } catch (error) {
      if (isAbsence(error)) return undefined;
      if (!isDenial(error)) throw error;
      this.#wasDenied = true;
      return undefined;
    }
  }
}

function isDenial(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM';
}

/** Lines of maps: `from-to perms offset MAJ:MIN inode path`, device in hexadecimal; proc_pid_maps(5). */
export function* mappedFiles(maps: string): Generator<readonly [string, string]> {
  for (const match of maps.matchAll(
    /^[0-9a-f]+-[0-9a-f]+ \S{4} [0-9a-f]+ ([0-9a-f]+):([0-9a-f]+) [1-9]\d* +(\/.*)$/gm,
  )) {
    const [, major = '', minor = '', path = ''] = match;
    yield [`${Number.parseInt(major, 16)}:${Number.parseInt(minor, 16)}`, path];
  }
}

/** A bound socket keeps its file system busy and has no path in fd: by inode from /proc/net/unix; proc_net(5). */
function boundSockets(table: string): ReadonlyMap<string, string> {
  const rows = table.matchAll(/^[0-9a-f]+: \S+ \S+ \S+ \S+ \S+ +(\d+) (\/.*)$/gim);
  return new Map([...rows].map(([, inode = '', path = '']) => [inode, path]));
}
