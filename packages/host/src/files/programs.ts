import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';

/** A program or file that the host needs and the Debian package that has it. */
export interface Requirement {
  readonly program: string;
  readonly package: string;
}

export const machineRequirements: readonly Requirement[] = [
  { program: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  { program: 'qemu-img', package: 'qemu-utils' },
  { program: 'prlimit', package: 'util-linux' },
  { program: 'ssh-keygen', package: 'openssh-client' },
];

export const imageRequirements: readonly Requirement[] = [
  { program: 'mmdebstrap', package: 'mmdebstrap' },
  { program: 'sfdisk', package: 'fdisk' },
  { program: 'mke2fs', package: 'e2fsprogs' },
  { program: 'debugfs', package: 'e2fsprogs' },
  { program: 'flock', package: 'util-linux' },
  { program: '/usr/share/keyrings/debian-archive-keyring.gpg', package: 'debian-archive-keyring' },
];

const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** @throws KannukiError KNK-HST-0010 that names all that is missing, not the first */
export async function requirePrograms(requirements: readonly Requirement[]): Promise<void> {
  const missing: Requirement[] = [];
  for (const requirement of requirements) if (!(await isThere(requirement.program))) missing.push(requirement);
  if (missing.length === 0) return;
  throw new KannukiError('KNK-HST-0010', {
    details: {
      programs: missing.map(({ program }) => program).join(', '),
      packages: [...new Set(missing.map((requirement) => requirement.package))].join(' '),
    },
  });
}

async function isThere(program: string): Promise<boolean> {
  const paths = program.startsWith('/') ? [program] : folders.map((folder) => `${folder}/${program}`);
  for (const path of paths) {
    try {
      await access(path, program.startsWith('/') ? constants.R_OK : constants.X_OK);
      return true;
    } catch {
      // Not here; perhaps in the next folder.
    }
  }
  return false;
}
