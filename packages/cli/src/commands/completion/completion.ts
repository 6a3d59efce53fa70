import { KannukiError } from '@kannuki/core';
import { completionScript, shells } from '../../documentation/completion.ts';
import { describeCommands } from '../../documentation/described.ts';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  operands: [
    {
      name: 'shell',
      help: { en: 'bash, zsh or fish', ja: 'bash、zsh、fish のいずれか' },
      required: true,
      variadic: false,
    },
  ],
  options: {},
  examples: [
    { line: 'source <(kannuki completion bash)', does: { en: 'complete in this shell', ja: 'このシェルで補完する' } },
    {
      line: 'kannuki completion fish > ~/.config/fish/completions/kannuki.fish',
      does: { en: 'complete in fish from now on', ja: '今後 fish で補完する' },
    },
  ],
  async run({ operands: [asked = ''] }, context) {
    const shell = shells.find((one) => one === asked);
    if (shell === undefined) {
      const details = { word: 'SHELL', value: asked, expected: shells.join(', '), command: 'kannuki completion' };
      throw new KannukiError('KNK-CLI-0004', { details });
    }
    context.writeLine(completionScript(shell, await describeCommands()).trimEnd());
    return {};
  },
});
