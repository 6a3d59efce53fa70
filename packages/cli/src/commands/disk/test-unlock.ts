import { exitCodes, KannukiError, type Language } from '@kannuki/core';
import { VolumeEngine } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  operands: [
    {
      name: 'target',
      help: {
        en: 'mount point, device or volume name; default all',
        ja: 'マウント ポイント、デバイス、またはボリューム名。既定は全部',
      },
      required: false,
      variadic: true,
    },
  ],
  options: { vault: vaultOption },
  examples: [
    {
      line: 'kannuki disk test-unlock -o json',
      does: { en: 'test all volumes before a planned reboot', ja: '計画的な再起動の前にすべてを確かめる' },
    },
  ],
  async run({ options, operands }, { language }) {
    const engine = new VolumeEngine();
    const vaultUrl = options.vault ?? (await engine.journals())[0]?.vaultUri;
    // Without a journal nothing is encrypted, and whoever names a volume has named the wrong one.
    const [target] = vaultUrl === undefined ? operands : [];
    if (target !== undefined) throw new KannukiError('KNK-VOL-0007', { details: { target } });
    const results = vaultUrl === undefined ? [] : await test(engine, vaultUrl, operands);
    const data = results.map(({ error, ...result }) => ({
      ...result,
      error: error === null ? null : problemOf(error, language),
    }));
    return { data, exitCode: results.every(({ opens }) => opens) ? exitCodes.done : exitCodes.failed };
  },
});

async function test(engine: VolumeEngine, vaultUrl: string, operands: readonly string[]) {
  await using vault = await openDiskVault(vaultUrl);
  return await engine.testUnlock(vault, operands);
}

function problemOf(error: unknown, language: Language): { readonly code: string; readonly message: string } {
  if (error instanceof KannukiError) return { code: error.code, message: error.describe(language) };
  return { code: 'unexpected', message: error instanceof Error ? error.message : 'unknown error' };
}
