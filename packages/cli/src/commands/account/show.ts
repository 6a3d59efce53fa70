import { KannukiError } from '@kannuki/core';
import { loginFolder, readLogin } from '../../azure-client/login-file.ts';
import { defineCommand } from '../../program/command.ts';
import { accountShape } from '../login/account-shape.ts';

export const command = defineCommand({
  description: {
    en: 'Shows what the login file says; asks no server.',
    ja: 'ログイン ファイルの内容を表示します。サーバーには問い合わせません。',
  },
  options: {},
  examples: [
    { line: 'kannuki account show --query tenantId -o tsv', does: { en: 'the tenant', ja: 'テナント ID を表示する' } },
  ],
  async run(_input, context) {
    const stored = await readLogin(loginFolder(context.environment));
    stored?.clientSecret?.[Symbol.dispose]();
    if (stored === undefined) throw new KannukiError('KNK-AZC-0010');
    const { subscriptionId, subscriptionName: displayName, tenantId, clientId, objectId, server } = stored.login;
    const subscription = { subscriptionId, tenantId, displayName, state: 'Enabled' };
    return { data: { ...accountShape(subscription, clientId, true), objectId, server } };
  },
});
