import { exitCodes } from '@kannuki/core';
import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  options: { vault: vaultOption },
  examples: [
    {
      line: 'kannuki disk unlock',
      does: { en: 'open what the boot did not open', ja: '起動時に開かれなかったものを開く' },
    },
  ],
  async run({ options }, context) {
    const engine = new VolumeEngine();
    const vaultUrl = options.vault ?? (await engine.journals())[0]?.vaultUri;
    if (vaultUrl === undefined) return { data: [] };
    await using vault = await openDiskVault(vaultUrl);
    const problems = await engine.unlock(vault);
    const [first] = problems;
    if (first !== undefined && problems.length === 1) throw first.error;
    for (const { volume, error } of problems) {
      context.say({ en: `${volume}: ${String(error)}`, ja: `${volume}: ${String(error)}` });
    }
    const volumes = (await engine.list()).filter(({ keySource }) => keySource !== 'none');
    return { data: volumes, exitCode: problems.length === 0 ? exitCodes.done : exitCodes.failed };
  },
});
