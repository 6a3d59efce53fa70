import { text } from '../../program/options.ts';
import { dataOption } from '../server/admin-connection.ts';

/** How commands for keys name the vault. */
export const keyVaultOption = {
  vaultName: text('KV', { en: 'name of the key vault', ja: 'キー コンテナーの名前' }, { required: true }),
  data: dataOption,
};

export const keyOptions = {
  ...keyVaultOption,
  name: text('KEY', { en: 'name of the key', ja: 'キーの名前' }, { short: 'n', required: true }),
};
