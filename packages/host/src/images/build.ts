import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, cp, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, run, syncDirectory, syncFile } from '@kannuki/core';
import { withLock } from '../files/lock.ts';
import { imageRequirements, requirePrograms } from '../files/programs.ts';
import type { BuildOptions, BuildStep, Image } from '../port.ts';
import { installBootLoader } from './boot-loader.ts';
import { addBundle } from './bundle-layer.ts';
import { type GuestProgram, requireGuestProgram } from './guest-program.ts';
import type { ImageStore } from './image-store.ts';
import { hashFile, hashInputs } from './inputs.ts';
import { sfdiskScript } from './layout.ts';
import type { Recipe } from './recipe.ts';

const buildLimitSeconds = 1800;

/** Proxies are the one thing of the caller's environment that a build on a closed network cannot do without. */
const proxyNames = ['http_proxy', 'https_proxy', 'no_proxy'] as const;

/**
 * Builds an image, or gives the one that was built from equal inputs. The slow part, a disk with all packages, is kept
 * under its own hash, so that a new agent costs seconds.
 */
export async function buildImage(
  store: ImageStore,
  recipe: Recipe,
  program: GuestProgram,
  options: BuildOptions,
): Promise<Image> {
  report(options, 'prepare', recipe.name);
  await requirePrograms(imageRequirements);
  await requireGuestProgram(program);
  await store.prepare();
  return await withLock(store.lockPath, buildLimitSeconds, async () => {
    const inputs = await hashInputs(recipe, program);
    const existing = await store.find(recipe.name);
    if (options.force !== true && existing?.inputsSha256 === inputs.image) return existing;
    const work = join(store.folder, `.build-${randomBytes(6).toString('hex')}`);
    await mkdir(work, { mode: 0o700 });
    try {
      const base = store.basePath(inputs.base);
      if (options.force === true || !existsSync(base)) await buildBase(store, recipe, program, work, base, options);
      report(options, 'configure', 'agent');
      const disk = join(work, 'image.raw');
      await run('cp', ['--sparse=always', '--reflink=auto', base, disk], { timeoutSeconds: 600 });
      await addBundle(disk, recipe.layout, program.bundlePath, work);
      await syncFile(disk);
      report(options, 'checksum', 'SHA-256');
      const sha256 = await hashFile(disk);
      return await store.add(disk, {
        name: recipe.name,
        urn: recipe.urn,
        format: 'raw',
        sizeBytes: recipe.layout.diskBytes,
        sha256,
        builtAt: new Date().toISOString(),
        inputsSha256: inputs.image,
      });
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  });
}

async function buildBase(
  store: ImageStore,
  recipe: Recipe,
  program: GuestProgram,
  work: string,
  target: string,
  options: BuildOptions,
): Promise<void> {
  const disk = join(work, 'base.raw');
  const out = join(work, 'out');
  const stage = join(work, 'stage');
  await mkdir(out);
  await stageFiles(recipe, program, stage);
  await makeEmptyDisk(disk, recipe);
  await installPackages(store, recipe, { disk, out, stage, work }, options);
  await installBootLoader(disk, recipe.layout, join(out, 'boot.img'), join(out, 'core.img'));
  await syncFile(disk);
  await store.dropBases();
  await rename(disk, target);
  await syncDirectory(store.cacheFolder);
}

/** Lays out everything of ours that goes into the VM, with the modes it has there. */
async function stageFiles(recipe: Recipe, program: GuestProgram, stage: string): Promise<void> {
  await cp(join(recipe.folder, 'root'), stage, { recursive: true });
  await mkdir(join(stage, 'usr', 'lib', 'systemd', 'system'), { recursive: true });
  await copyFile(program.nodePath, join(stage, 'usr', 'lib', 'kannuki', 'node'));
  await copyFile(program.unitPath, join(stage, 'usr', 'lib', 'systemd', 'system', 'kannuki-agent.service'));
}

async function makeEmptyDisk(disk: string, recipe: Recipe): Promise<void> {
  const file = await open(disk, 'wx', 0o600);
  try {
    await file.truncate(recipe.layout.diskBytes);
  } finally {
    await file.close();
  }
  await run('sfdisk', ['--quiet', '--no-reread', '--no-tell-kernel', disk], { input: sfdiskScript(recipe.layout) });
}

interface Places {
  readonly disk: string;
  readonly out: string;
  readonly stage: string;
  readonly work: string;
}

async function installPackages(
  store: ImageStore,
  recipe: Recipe,
  places: Places,
  options: BuildOptions,
): Promise<void> {
  const { layout } = recipe;
  const environment: Record<string, string> = {
    HERE: recipe.folder,
    CACHE: store.packageFolder,
    STAGE: places.stage,
    OUT: places.out,
    DISK: places.disk,
    TMPDIR: places.work,
    KERNEL_ARGUMENTS: recipe.kernelArguments.join(' '),
    ROOT_UUID: layout.root.uuid,
    ROOT_OFFSET: String(layout.root.offsetBytes),
    ROOT_KIB: String(layout.root.sizeBytes / 1024),
    BOOT_UUID: layout.boot.uuid,
    BOOT_OFFSET: String(layout.boot.offsetBytes),
    BOOT_KIB: String(layout.boot.sizeBytes / 1024),
  };
  for (const name of proxyNames) {
    const value = process.env[name];
    if (value !== undefined) environment[name] = value;
  }
  let step: BuildStep = 'packages';
  const onLine = (line: string): void => {
    step = stepOf(line) ?? step;
    report(options, step, line.slice(0, 200));
  };
  try {
    // mmdebstrap talks on standard error only.
    await run('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...asRoot(), 'mmdebstrap', ...mmdebstrapArguments(recipe)], {
      environment,
      onLine,
      timeoutSeconds: buildLimitSeconds,
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (error) {
    if (!(error instanceof KannukiError)) throw error;
    throw new KannukiError('KNK-HST-0009', {
      details: { detail: String(error.details.detail ?? error.describe('en')) },
      cause: error,
    });
  }
  const packages = await readFile(join(places.out, 'packages'), 'utf8');
  report(options, 'boot-loader', `${packages.trim().split('\n').length} packages`);
}

/**
 * Who is not root becomes root of a user namespace, in which the caller's own files stay the caller's: that needs
 * /etc/subuid, unshare(1) 2.38 and a kernel that allows such namespaces.
 */
function asRoot(): readonly string[] {
  if (process.getuid?.() === 0) return [];
  return ['unshare', '--map-root-user', '--map-auto', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];
}

function mmdebstrapArguments(recipe: Recipe): string[] {
  const excluded = ['man', 'locale', 'info', 'doc'].map((part) => `--dpkgopt=path-exclude=/usr/share/${part}/*`);
  return [
    '--mode=root',
    '--variant=apt',
    '--format=null',
    `--architectures=${recipe.architecture}`,
    `--include=${recipe.packages.join(',')}`,
    ...excluded,
    // Licences stay.
    '--dpkgopt=path-include=/usr/share/doc/*/copyright',
    '--dpkgopt=force-unsafe-io',
    '--aptopt=Apt::Install-Recommends "false"',
    '--aptopt=Acquire::Retries "3"',
    '--aptopt=Acquire::Languages "none"',
    // The packages stay for the cache, and there is no tree left to clean when the disk is made.
    '--skip=essential/unlink,cleanup',
    `--setup-hook=${join(recipe.folder, 'setup-hook.sh')}`,
    `--customize-hook=${join(recipe.folder, 'customize-hook.sh')}`,
    recipe.suite,
    '/dev/null',
    ...recipe.sources,
  ];
}

const steps: Readonly<Record<string, BuildStep>> = {
  'kannuki: step configure': 'configure',
  'kannuki: step boot-loader': 'boot-loader',
  'kannuki: step file-systems': 'file-systems',
};

function stepOf(line: string): BuildStep | undefined {
  return steps[line.trim()];
}

function report(options: BuildOptions, step: BuildStep, detail: string): void {
  options.onProgress?.({ step, detail });
}
