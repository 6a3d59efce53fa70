import { readFile } from 'node:fs/promises';
import { KannukiError } from '@kannuki/core';
import { AgentStore, joinServer } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import { flag, text } from '../../program/options.ts';

export const command = defineCommand({
  description: {
    en: 'Makes this VM a member of a server. The private key is made here and never leaves this VM. The token names the authority of its server, so an impostor is noticed without --ca.',
    ja: 'この VM をサーバーに参加させます。秘密鍵はこの VM で生成され、外に出ることはありません。トークンはサーバーの認証局を示すため、--ca がなくても、なりすましを検出できます。',
  },
  options: {
    server: text('URL', { en: 'https://HOST:PORT', ja: 'https://HOST:PORT' }, { required: true }),
    token: text('T', {
      en: 'one-time token; others on this VM can see a command line',
      ja: 'ワンタイム トークン。コマンド ラインは VM の他の利用者にも見えます',
    }),
    tokenFile: text('FILE', { en: 'file that holds the token', ja: 'トークンを格納したファイル' }),
    ca: text('FILE', { en: "the server's authority, PEM", ja: 'サーバーの認証局 (PEM)' }),
    force: flag({ en: 'also where this VM has joined already', ja: '参加済みでも参加し直す' }),
  },
  examples: [
    {
      line: 'kannuki agent join --server https://10.0.2.2:8443 --token-file /run/token',
      does: { en: 'join with a token from a file', ja: 'ファイルのトークンで参加する' },
    },
  ],
  async run({ options }, context) {
    const { server, ca, force } = options;
    const token = options.token ?? (options.tokenFile === undefined ? undefined : await readText(options.tokenFile));
    if (token === undefined) {
      throw new KannukiError('KNK-CLI-0003', { details: { word: '--token', command: 'kannuki agent join' } });
    }
    const authority = ca === undefined ? undefined : await readText(ca);
    const membership = await joinServer(new AgentStore(), {
      serverUrl: server,
      token: token.trim(),
      force,
      signal: context.signal,
      ...(authority === undefined ? {} : { authority }),
    });
    return { data: membership };
  },
});

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const problem = `${path}: ${(error as NodeJS.ErrnoException).code}`;
    throw new KannukiError('KNK-CLI-0005', { details: { problem, command: 'kannuki agent join' }, cause: error });
  }
}
