import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/**
 * Makes `dist/kannuki.mjs`: the whole program in one file, which runs on Node 24 with nothing beside it. It is what goes
 * into VM images and packages. `dist/kannuki.meta.json` says what is in it, for the test of its dependencies.
 */
const repository = join(import.meta.dirname, '..');
const target = join(repository, 'dist', 'kannuki.mjs');

/** Dependencies in CommonJS ask for Node's own modules with `require`, which a module does not have. */
const banner = `import { createRequire as kannukiCreateRequire } from 'node:module';
const require = kannukiCreateRequire(import.meta.url);`;

const result = await build({
  entryPoints: [join(repository, 'packages', 'cli', 'src', 'main.ts')],
  outfile: target,
  bundle: true,
  platform: 'node',
  // Compiled on the machine that has a token, and optional.
  external: ['pkcs11js'],
  format: 'esm',
  target: 'node24',
  banner: { js: banner },
  // Names stay, so that a trace can be read; the rest is smaller because it is parsed at every start.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'eof',
  metafile: true,
  write: false,
  absWorkingDir: repository,
  logLevel: 'warning',
});

const [file] = result.outputFiles;
if (file === undefined) throw new Error('esbuild made nothing');
await mkdir(join(repository, 'dist'), { recursive: true });
// At once, because tests that run side by side build it too.
const fresh = `${target}.${process.pid}`;
await writeFile(fresh, file.contents);
await chmod(fresh, 0o755);
await rename(fresh, target);
await writeFile(join(repository, 'dist', 'kannuki.meta.json'), JSON.stringify(result.metafile));
process.stderr.write(`dist/kannuki.mjs: ${Math.ceil(file.contents.length / 1024)} KiB\n`);
