import { flag, text } from '../../program/options.ts';
import { dataOption } from '../server/admin-connection.ts';

/** Which log is meant: that of the running server unless one of these says otherwise. */
export const logOptions = {
  offline: flag({
    en: 'read the data folder without a server; it must be stopped to verify',
    ja: 'サーバーを経由せずにデータ フォルダーを読む。検証ではサーバーの停止が必要',
  }),
  folder: text('DIR', {
    en: 'a copy of the log, in any folder, without its key',
    ja: '任意のフォルダーにあるログのコピー (キーなし)',
  }),
  data: dataOption,
};
