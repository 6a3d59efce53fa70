import { loginFolder, removeLogin } from '../../azure-client/login-file.ts';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  description: {
    en: 'Removes the login file. Tokens that were given out stay good until they end by themselves (about an hour); who wants to shut somebody out takes his secret or his roles away.',
    ja: 'ログイン ファイルを削除します。発行済みのトークンは期限 (約 1 時間) まで有効です。アクセスを遮断するには、シークレットまたはロールを取り消してください。',
  },
  options: {},
  examples: [{ line: 'kannuki logout', does: { en: 'forget the login', ja: 'ログアウトする' } }],
  async run(_input, context) {
    const was = await removeLogin(loginFolder(context.environment));
    if (!was) context.say({ en: 'Nobody was logged in.', ja: 'ログインしていませんでした。' });
    return {};
  },
});
