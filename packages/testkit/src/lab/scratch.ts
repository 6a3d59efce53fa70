import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** Where disk images of tests go: into memory where there is one, since fsync of the lab's disks then costs nothing. */
export function scratch(): string {
  return process.env.KANNUKI_LAB_SCRATCH ?? (existsSync('/dev/shm') ? '/dev/shm' : tmpdir());
}
