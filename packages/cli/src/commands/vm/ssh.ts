import { spawn } from 'node:child_process';
import { KannukiError } from '@kannuki/core';
import { defineCommand } from '../../program/command.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: "Opens a shell as root in the VM, or runs a command there. The exit code is ssh's, which is that of the command.",
    ja: 'VM の中で root のシェルを開くか、コマンドを実行します。終了コードは ssh (つまりコマンド) のものです。',
  },
  operands: [
    {
      name: 'command',
      help: { en: 'command, after --', ja: '-- の後に続けるコマンド' },
      required: false,
      variadic: true,
    },
  ],
  options: vmOptions,
  examples: [
    { line: 'kannuki vm ssh -g rg1 -n vm1', does: { en: 'a shell', ja: 'シェルを開く' } },
    { line: 'kannuki vm ssh -g rg1 -n vm1 -- lsblk', does: { en: 'one command', ja: 'コマンドを 1 つ実行する' } },
  ],
  async run({ options: { resourceGroup, name, data }, operands }, context) {
    const admin = connectAdmin(data, context.environment);
    const { arguments: words } = await admin.call('vm-ssh', { resourceGroup, name });
    return { exitCode: await runSsh([...words, ...operands]) };
  },
});

/** With our own terminal and pipes, so that it feels like ssh itself. */
function runSsh(words: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', words, { stdio: 'inherit' });
    child.on('error', (error: NodeJS.ErrnoException) => {
      const code = error.code === 'ENOENT' ? 'KNK-CMD-0002' : 'KNK-CMD-0001';
      reject(
        new KannukiError(code, { details: { program: 'ssh', result: error.code ?? 'error', detail: error.message } }),
      );
    });
    child.on('close', (exitCode) => resolve(exitCode ?? 1));
  });
}
