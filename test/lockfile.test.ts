import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

interface LockEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly link?: boolean;
  readonly os?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL('../package-lock.json', import.meta.url), 'utf8')) as {
  readonly packages: Readonly<Record<string, LockEntry>>;
};

/**
 * `npm ci` refuses a lock file that lacks an optional package, even one for another platform. npm leaves those out when the
 * registry it was made with does not have them; the first run on a fresh machine would then fail.
 */
test('every optional dependency of a package is in the lock file', () => {
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (!path.startsWith('node_modules/')) continue;
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      assert.ok(`node_modules/${name}` in lock.packages, `${path} needs ${name}`);
    }
  }
});

test('what is installed here is pinned by its hash', () => {
  for (const [path, entry] of Object.entries(lock.packages)) {
    const isOurs = !path.startsWith('node_modules/') || entry.link === true;
    const isForOtherPlatform =
      entry.optional === true && entry.os !== undefined && !path.includes(`linux-${process.arch}`);
    if (!isOurs && !isForOtherPlatform && !path.includes('-musl'))
      assert.match(entry.integrity ?? '', /^sha512-/, path);
  }
});
