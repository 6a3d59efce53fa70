import { exitCodes, KannukiError, type Language } from '@kannuki/core';
import { GuestVaults, VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';
import { volumeOperand } from './volume-operand.ts';

export const command = defineCommand({
  operands: [volumeOperand],
  options: { vault: vaultOption },
  examples: [
    {
      line: 'kannuki disk test-unlock -o json',
      does: { en: 'test all volumes before a planned reboot', ja: '計画的な再起動の前にすべてを確かめる' },
    },
  ],
  async run({ options, operands }, { language }) {
    const engine = new VolumeEngine();
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    const results = await engine.testUnlock((vaultUri) => vaults.of(vaultUri), operands);
    const data = results.map(({ error, ...result }) => ({
      ...result,
      error: error === null ? null : problemOf(error, language),
    }));
    return { data, exitCode: results.every(({ opens }) => opens) ? exitCodes.done : exitCodes.failed };
  },
});

function problemOf(error: unknown, language: Language): { readonly code: string; readonly message: string } {
  if (error instanceof KannukiError) return { code: error.code, message: error.describe(language) };
  return { code: 'unexpected', message: error instanceof Error ? error.message : 'unknown error' };
}
