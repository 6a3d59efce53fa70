import { dataOption } from '../../../azure-client/data-option.ts';
import { text, toggle } from '../../../program/options.ts';

/** How commands for one vault name it. */
export const vaultOptions = {
  name: text('KV', { en: 'name of the key vault', ja: 'キー コンテナーの名前' }, { short: 'n', required: true }),
  resourceGroup: text(
    'RG',
    {
      en: 'resource group; found by the name of the vault where it is left out',
      ja: 'リソース グループ。省略時は名前から検索',
    },
    { short: 'g' },
  ),
  data: dataOption,
};

export const locationOption = text('LOCATION', { en: 'region', ja: 'リージョン' }, { short: 'l' });

/** What may be changed after the vault was made, too. */
export const changeableOptions = {
  enabledForDiskEncryption: toggle({ en: 'may be used for disks', ja: 'ディスク暗号化に使用できるようにする' }),
  enabledForDeployment: toggle({ en: 'VMs may fetch certificates from it', ja: 'VM が証明書を取得できるようにする' }),
  enabledForTemplateDeployment: toggle({
    en: 'templates may fetch secrets from it',
    ja: 'テンプレートがシークレットを取得できるようにする',
  }),
  enablePurgeProtection: toggle({
    en: 'nobody can purge anything before its day; cannot be taken back',
    ja: '保持期間が過ぎるまで誰も消去できないようにする。取り消し不可',
  }),
  enableRbacAuthorization: toggle({
    en: 'roles decide about data access, not access policies',
    ja: 'データへのアクセスをアクセス ポリシーではなくロールで制御する',
  }),
};

interface Changeable {
  readonly enabledForDiskEncryption: boolean | undefined;
  readonly enabledForDeployment: boolean | undefined;
  readonly enabledForTemplateDeployment: boolean | undefined;
  readonly enablePurgeProtection: boolean | undefined;
  readonly enableRbacAuthorization: boolean | undefined;
  readonly defaultAction: string | undefined;
  readonly bypass: string | undefined;
}

/** What was given, as properties of a vault on the wire; what was not given is not in it. */
export function changesOf(options: Changeable, before: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { defaultAction, bypass } = options;
  const switches = Object.entries({
    enabledForDiskEncryption: options.enabledForDiskEncryption,
    enabledForDeployment: options.enabledForDeployment,
    enabledForTemplateDeployment: options.enabledForTemplateDeployment,
    enablePurgeProtection: options.enablePurgeProtection,
    enableRbacAuthorization: options.enableRbacAuthorization,
  }).filter(([, value]) => value !== undefined);
  if (defaultAction === undefined && bypass === undefined) return Object.fromEntries(switches);
  const networkAcls = {
    ...(before.networkAcls as object | undefined),
    ...(defaultAction === undefined ? {} : { defaultAction }),
    ...(bypass === undefined ? {} : { bypass }),
  };
  return { ...Object.fromEntries(switches), networkAcls };
}
