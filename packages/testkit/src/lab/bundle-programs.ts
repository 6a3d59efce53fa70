import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';

interface BundleFile {
  readonly name: string;
  readonly contents: Uint8Array;
}

const bundles = new Map<string, Promise<readonly BundleFile[]>>();

/** Few files and no path of this checkout; code that a program loads late, or never, is a file of its own and costs no start. */
async function bundleProgram(name: string, path: string, folder: string): Promise<void> {
  let bundle = bundles.get(path);
  if (bundle === undefined) {
    bundle = bundleOf(name, path);
    bundles.set(path, bundle);
  }
  for (const file of await bundle) writeFileSync(join(folder, file.name), file.contents);
}

async function bundleOf(name: string, path: string): Promise<readonly BundleFile[]> {
  const { outputFiles } = await build({
    entryPoints: { [name]: path },
    outdir: '/',
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    // Drivers of vaults that no lab machine has; see build/bundle.ts.
    external: ['@azure/*', 'pkcs11js'],
    write: false,
    absWorkingDir: dirname(path),
  });
  return outputFiles.map((file) => ({ name: basename(file.path), contents: file.contents }));
}

/** Puts a scenario, its programs and its input into a folder that the machine sees as /mnt/lab. */
export async function fillShare(
  folder: string,
  {
    scenario,
    programs = {},
    input,
  }: { readonly scenario: string; readonly programs?: Readonly<Record<string, string>>; readonly input: object },
): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await Promise.all(Object.entries({ ...programs, scenario }).map(([name, path]) => bundleProgram(name, path, folder)));
  writeFileSync(join(folder, 'input.json'), JSON.stringify(input));
}
