import { exitCodes } from '@kannuki/core';
import { GuestVaults, VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';
import { volumeOperand } from './volume-operand.ts';

export const command = defineCommand({
  description: {
    en: 'Opens and mounts volumes with the passphrase from the vault that each was encrypted with. A conversion that was cut goes on with the agent, or with "kannuki disk encrypt".',
    ja: '各ボリュームの暗号化に使われたキー コンテナーのパスフレーズで、ボリュームを開いてマウントします。中断された変換は、エージェントまたは "kannuki disk encrypt" が続行します。',
  },
  operands: [volumeOperand],
  options: { vault: vaultOption },
  examples: [
    {
      line: 'kannuki disk unlock',
      does: { en: 'open what the boot did not open', ja: '起動時に開かれなかったものを開く' },
    },
  ],
  async run({ options, operands }, context) {
    const engine = new VolumeEngine();
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    const problems = await engine.unlock((vaultUri) => vaults.of(vaultUri), operands);
    const [first] = problems;
    if (first !== undefined && problems.length === 1) throw first.error;
    for (const { volume, error } of problems) {
      context.say({ en: `${volume}: ${String(error)}`, ja: `${volume}: ${String(error)}` });
    }
    const volumes = (await engine.list()).filter(({ keySource }) => keySource !== 'none');
    return { data: volumes, exitCode: problems.length === 0 ? exitCodes.done : exitCodes.failed };
  },
});
