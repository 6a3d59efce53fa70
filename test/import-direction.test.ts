import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { build } from 'esbuild';

/**
 * A package imports only packages above it. guest runs as root on other people's machines: it gets nothing of host or server.
 */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: [],
  support: ['core'],
  formats: ['core'],
  keyvault: ['core'],
  guest: ['core', 'support', 'formats', 'keyvault'],
  host: ['core', 'support', 'formats', 'keyvault'],
  server: ['core', 'support', 'formats', 'keyvault', 'host'],
  cli: ['core', 'support', 'formats', 'keyvault', 'guest', 'host', 'server'],
  testkit: ['core', 'support', 'formats', 'keyvault', 'guest', 'host', 'server', 'cli'],
};

const root = resolve(import.meta.dirname, '..');
const packages = join(root, 'packages');

interface Import {
  readonly file: string;
  readonly owner: string;
  readonly specifier: string;
}

async function allImports(): Promise<Import[]> {
  const found: Import[] = [];
  for await (const path of glob('*/src/**/*.ts', { cwd: packages })) {
    const file = join(packages, path);
    const owner = path.split('/')[0] ?? '';
    for (const specifier of specifiersOf(readFileSync(file, 'utf8'))) found.push({ file, owner, specifier });
  }
  return found;
}

/** Static and dynamic imports and re-exports; comments are cut out first so that an example in a docstring does not count. */
function specifiersOf(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const matches = code.matchAll(/(?:\bfrom|(?<![.\w])import\s*\(|^\s*import)\s*['"]([^'"\n]+)['"]/gm);
  return [...matches].map((match) => match[1] ?? '');
}

function packageOf(specifier: string): string | undefined {
  return /^@kannuki\/([^/]+)/.exec(specifier)?.[1];
}

const imports = await allImports();

test('the walk sees what it should: every package, and imports between them', () => {
  assert.deepEqual(
    [...new Set(imports.map((one) => one.owner))].filter((owner) => !(owner in mayImport)),
    [],
  );
  assert.ok(imports.some((one) => one.owner === 'support' && packageOf(one.specifier) === 'core'));
  const sample = `import 'a'; import x from "b";\nexport * from 'c';\nconst d = await import('d');\n// import 'e'\n/* from 'f' */`;
  assert.deepEqual(specifiersOf(sample).sort(), ['a', 'b', 'c', 'd']);
});

test('a package imports only packages above it', () => {
  const wrong = imports.filter(({ owner, specifier }) => {
    const wanted = packageOf(specifier);
    return wanted !== undefined && wanted !== owner && !mayImport[owner]?.includes(wanted);
  });
  assert.deepEqual(wrong.map(describe), []);
});

test('no relative import leaves its package', () => {
  const wrong = imports.filter(({ file, owner, specifier }) => {
    if (!specifier.startsWith('.')) return false;
    const target = relative(join(packages, owner), resolve(dirname(file), specifier));
    return target.startsWith('..');
  });
  assert.deepEqual(wrong.map(describe), []);
});

test('a package uses only what its package.json names', () => {
  const wrong = imports.filter(({ file, owner, specifier }) => {
    if (specifier.startsWith('.') || specifier.startsWith('node:')) return false;
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/');
    const { dependencies = {}, optionalDependencies = {} } = readPackage(owner);
    // Tests and the lab also use what the repository itself depends on.
    const development = file.endsWith('.test.ts') || owner === 'testkit' ? readPackage('..').devDependencies : {};
    return name !== `@kannuki/${owner}` && !(name in { ...dependencies, ...optionalDependencies, ...development });
  });
  assert.deepEqual([...new Set(wrong.map(describe))], []);
});

test('no cycles: each package.json names only packages above it', () => {
  for (const [owner, allowed] of Object.entries(mayImport)) {
    const named = Object.keys(readPackage(owner).dependencies ?? {}).flatMap((name) => packageOf(name) ?? []);
    assert.deepEqual(
      named.filter((name) => !allowed.includes(name)),
      [],
      owner,
    );
  }
});

test('what guest brings into a VM is of core, formats, keyvault, support and itself only', async () => {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['packages/guest/src/index.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    logLevel: 'silent',
  });
  const owners = new Set(Object.keys(metafile.inputs).map(ownerOfInput));
  const allowed = ['core', 'formats', 'keyvault', 'support', 'guest'];
  assert.deepEqual(
    [...owners].filter((owner) => !allowed.includes(owner)),
    [],
  );
});

/** `packages/core/src/…` and `node_modules/@kannuki/core/…` → `core`; anything else by its path. */
function ownerOfInput(path: string): string {
  const match = /^(?:packages|node_modules\/@kannuki)\/([^/]+)\//.exec(path);
  return match?.[1] ?? path;
}

function describe({ file, specifier }: Import): string {
  return `${relative(root, file)} imports ${specifier}`;
}

interface PackageFile {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function readPackage(name: string): PackageFile {
  return JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')) as PackageFile;
}
