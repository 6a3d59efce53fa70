import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readProcessor } from './processor.ts';

const cases = [
  {
    name: 'x86 with AES',
    architecture: 'x64',
    text: 'processor\t: 0\nmodel name\t: Some Xeon\nflags\t\t: fpu aes avx\n\nprocessor\t: 1\nmodel name\t: Some Xeon\nflags\t\t: fpu aes avx\n',
    processor: { model: 'Some Xeon', count: 2, hasAes: true },
  },
  {
    name: 'x86 without AES; a longer word is not the word',
    architecture: 'x64',
    text: 'processor\t: 0\nmodel name\t: Old Atom\nflags\t\t: fpu aesx avx\n',
    processor: { model: 'Old Atom', count: 1, hasAes: false },
  },
  {
    name: 'ARM with AES has no model name',
    architecture: 'arm64',
    text: 'processor\t: 0\nFeatures\t: fp asimd aes pmull\nCPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n',
    processor: { model: '0x41/0xd0c/0x3', count: 1, hasAes: true },
  },
  {
    name: 'ARM without AES',
    architecture: 'arm64',
    text: 'processor\t: 0\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU variant\t: 0x0\nCPU part\t: 0xd08\n',
    processor: { model: '0x41/0xd08/0x0', count: 1, hasAes: false },
  },
  {
    name: 'an architecture that lists nothing is not called slow',
    architecture: 'riscv64',
    text: 'processor\t: 0\nisa\t: rv64imafdc\n',
    processor: { model: '?/?/?', count: 1, hasAes: true },
  },
];
for (const { name, architecture, text, processor } of cases) {
  test(`processor: ${name}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'kannuki-processor-'));
    t.after(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'proc'));
    writeFileSync(join(root, 'proc/cpuinfo'), text);
    assert.deepEqual(await readProcessor({ root }, architecture), processor);
  });
}
