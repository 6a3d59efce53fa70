import { readdir } from 'node:fs/promises';
import { hasCode } from '@kannuki/core';
import type { ModuleFact } from './model.ts';
import { type FactSources, isAbsence, readText, rooted } from './sources.ts';

const needed = ['dm_crypt', 'vfat'] as const;

/** Whether the kernel modules that encryption and the key volume need are there or can come (REQ-038, REQ-040). */
export async function readModules(sources: FactSources): Promise<readonly ModuleFact[]> {
  const blocks = [...(await configuredBlocks(sources)), ...(await kernelBlocks(sources))];
  const facts: ModuleFact[] = [];
  for (const name of needed) {
    const blockedBy = blocks.find((block) => block.module === name)?.line ?? null;
    facts.push({ name, state: await stateOf(sources, name), blockedBy });
  }
  return facts;
}

async function stateOf(sources: FactSources, name: ModuleFact['name']): Promise<ModuleFact['state']> {
  if (await isBuiltIn(sources, name)) return 'built-in';
  const loaded = ((await readText(sources, '/proc/modules')) ?? '').split('\n');
  if (loaded.some((line) => line.startsWith(`${name} `))) return 'loaded';
  return (await isLoadable(sources, name)) ? 'loadable' : 'missing';
}

/** modules.builtin lists `kernel/drivers/md/dm-crypt.ko`; kernels without modules show only what they registered. */
async function isBuiltIn(sources: FactSources, name: ModuleFact['name']): Promise<boolean> {
  const release = ((await readText(sources, '/proc/sys/kernel/osrelease')) ?? '').trim();
  const list = await readText(sources, `/lib/modules/${release}/modules.builtin`);
  if (list !== undefined) {
    return list
      .split('\n')
      .some((path) => moduleName(path.slice(path.lastIndexOf('/') + 1).replace(/\.ko.*$/, '')) === name);
  }
  if ((await readText(sources, '/proc/modules')) !== undefined) return false;
  if (name === 'vfat') return /^\s*vfat$/m.test((await readText(sources, '/proc/filesystems')) ?? '');
  return (
    (await exists(sources, '/sys/module/dm_crypt')) ||
    /^crypt\s/m.test((await output(sources, 'dmsetup', ['targets'])) ?? '')
  );
}

async function isLoadable(sources: FactSources, name: ModuleFact['name']): Promise<boolean> {
  return (await output(sources, 'modprobe', ['--dry-run', '--quiet', name])) !== undefined;
}

/** What a program prints; undefined when it fails or is not there. */
async function output(sources: FactSources, program: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const { exitCode, stdout } = await sources.run(program, args, { accept: [0, 1], timeoutSeconds: 30 });
    return exitCode === 0 ? stdout : undefined;
  } catch (error) {
    if (hasCode(error, 'KNK-CMD-0002')) return undefined;
    throw error;
  }
}

async function exists(sources: FactSources, folder: string): Promise<boolean> {
  try {
    await readdir(rooted(sources, folder));
    return true;
  } catch (error) {
    if (isAbsence(error)) return false;
    throw error;
  }
}

interface Block {
  readonly module: string;
  /** The setting and where it stands. */
  readonly line: string;
}

/** modprobe.d(5): a file hides the ones of the same name in the folders after its own. */
const configurationFolders = [
  '/etc/modprobe.d',
  '/run/modprobe.d',
  '/usr/local/lib/modprobe.d',
  '/usr/lib/modprobe.d',
  '/lib/modprobe.d',
];

async function configuredBlocks(sources: FactSources): Promise<readonly Block[]> {
  const blocks: Block[] = [];
  const seen = new Set<string>();
  for (const folder of configurationFolders) {
    for (const name of await configurationFiles(sources, folder)) {
      if (seen.has(name)) continue;
      seen.add(name);
      const path = `${folder}/${name}`;
      const text = ((await readText(sources, path)) ?? '').replaceAll('\\\n', ' ');
      for (const line of text.split('\n')) {
        const module = blockedModule(line);
        if (module !== undefined) blocks.push({ module, line: `${path}: ${line.trim()}` });
      }
    }
  }
  return blocks;
}

async function configurationFiles(sources: FactSources, folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(rooted(sources, folder))).filter((name) => name.endsWith('.conf')).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

/** `blacklist NAME`, or `install NAME` with a program that does nothing: the two ways of hardening guides. */
function blockedModule(line: string): string | undefined {
  const match = /^\s*(?:blacklist\s+(\S+)\s*$|install\s+(\S+)\s+(?:\/\S*\/)?(?:false|true|nologin|:)(?:\s|$))/.exec(
    line,
  );
  const name = match?.[1] ?? match?.[2];
  return name === undefined ? undefined : moduleName(name);
}

/** `modprobe.blacklist=` is for udev and modprobe, `module_blacklist=` for the kernel itself. */
async function kernelBlocks(sources: FactSources): Promise<readonly Block[]> {
  const words = ((await readText(sources, '/proc/cmdline')) ?? '').trim().split(/\s+/);
  return words.flatMap((word) => {
    const names = /^(?:modprobe\.blacklist|module_blacklist)=(.*)$/.exec(word)?.[1];
    return (names?.split(',') ?? []).map((name) => ({ module: moduleName(name), line: `/proc/cmdline: ${word}` }));
  });
}

/** The kernel takes `-` and `_` in names of modules for the same. */
function moduleName(name: string): string {
  return name.replaceAll('-', '_');
}
