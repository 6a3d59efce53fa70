import { exitCodes, isRefused } from '@kannuki/core';
import { checkSupport, isDay, volumeTypes } from '@kannuki/support';
import { InvalidArgumentError } from 'commander';
import { findingsData, findingsTable } from '../../output/findings.ts';
import { about } from '../../program/about.ts';
import { defineCommand } from '../../program/command.ts';
import { choice, flag, number, type Option, text } from '../../program/options.ts';
import { configOption, readRules } from './rules.ts';

const help = { en: 'YYYY-MM-DD: judge by this day; default today', ja: 'この日付で判定する (YYYY-MM-DD)。既定は今日' };

const dateOption: Option<string | undefined> = {
  ...text('YYYY-MM-DD', help),
  parse: (word) => {
    if (!isDay(word)) throw new InvalidArgumentError('a day, YYYY-MM-DD');
    return word;
  },
};

export const command = defineCommand({
  description: {
    en: 'Checks an image, a size and what else is given against the rules, and lists every finding. Asks nobody and changes nothing.',
    ja: 'イメージ、サイズ、その他の指定を規則と照らし合わせ、すべての結果を表示します。どこにも問い合わせず、何も変更しません。',
  },
  options: {
    urn: text(
      'P:O:S:V',
      { en: 'image: Publisher:Offer:Sku:Version', ja: 'イメージ: Publisher:Offer:Sku:Version' },
      { required: true },
    ),
    size: text(
      'SIZE',
      { en: 'VM size, e.g. Standard_D4s_v5', ja: 'VM サイズ。例: Standard_D4s_v5' },
      { required: true },
    ),
    generation: choice(['V1', 'V2'], { en: 'generation of the VM', ja: 'VM の世代' }),
    volumeType: choice(volumeTypes, { en: 'what to encrypt; default ALL', ja: '暗号化する対象。既定は ALL' }),
    rootUsedGb: number('N', {
      en: 'space used on /, GB (not the size of the disk)',
      ja: '/ の使用量 (GB)。ディスクのサイズではありません',
    }),
    memoryGb: number('N', {
      en: 'memory of the VM, where the size does not tell it',
      ja: 'VM のメモリ。サイズから分からない場合に指定',
    }),
    byosRegistered: flag({
      en: 'the bring-your-own subscription is registered',
      ja: '持ち込みサブスクリプションは登録済み',
    }),
    method: choice(['new', 'legacy'], {
      en: 'legacy = with Microsoft Entra credentials; default new',
      ja: 'legacy = Microsoft Entra 資格情報を使う方式。既定は new',
    }),
    encryptedBy: choice(['new', 'legacy'], {
      en: 'method that the VM was encrypted with before',
      ja: 'この VM を以前に暗号化した方式',
    }),
    osState: choice(['NotEncrypted', 'EncryptionInProgress', 'Encrypted', 'DecryptionInProgress'], {
      en: 'state of the OS volume now',
      ja: 'OS ボリュームの現在の状態',
    }),
    premium: flag({ en: 'the VM has premium disks', ja: 'VM に Premium ディスクがある' }),
    target: choice(['vm', 'flexible-scale-set', 'uniform-scale-set'], {
      en: 'single VM or scale set; default vm',
      ja: '単独の VM かスケール セットか。既定は vm',
    }),
    date: dateOption,
    subscriptionState: text('STATE', {
      en: 'state of the subscription, e.g. Enabled',
      ja: 'サブスクリプションの状態。例: Enabled',
    }),
    vmRegion: text('R', { en: 'region of the VM', ja: 'VM のリージョン' }),
    vaultRegion: text('R', { en: 'region of the key vault', ja: 'キー コンテナーのリージョン' }),
    vmSubscription: text('S', { en: 'subscription of the VM', ja: 'VM のサブスクリプション' }),
    vaultSubscription: text('S', { en: 'subscription of the key vault', ja: 'キー コンテナーのサブスクリプション' }),
    kekKind: choice(['RSA', 'RSA-HSM', 'EC', 'EC-HSM', 'oct', 'oct-HSM'], {
      en: 'type of the key encryption key',
      ja: 'キー暗号化キーの種類',
    }),
    kekBits: number('N', { en: 'size of the key encryption key, bits', ja: 'キー暗号化キーのサイズ (ビット)' }),
    config: configOption,
  },
  examples: [
    {
      line: 'kannuki support check --urn Canonical:0001-com-ubuntu-server-jammy:22_04-lts-gen2:latest --size Standard_D4s_v5 --volume-type ALL --root-used-gb 3',
      does: {
        en: 'may OS and data disks of this VM be encrypted?',
        ja: 'この VM の OS ディスクとデータ ディスクは暗号化できるか',
      },
    },
    {
      line: 'kannuki support check --urn RedHat:RHEL:8_6:latest --size Standard_B1s --volume-type DATA -o json; echo $?',
      does: { en: 'for a script: exit code 0 = yes, 10 = refused', ja: 'スクリプト用: 終了コード 0 = 可、10 = 不可' },
    },
  ],
  notes: {
    en: `${about.cost.en}\n\nNext steps:\n  kannuki support images    images that can be encrypted\n  kannuki support sizes     sizes that can be encrypted\n  kannuki disk encrypt      encrypt a disk of this VM`,
    ja: `${about.cost.ja}\n\n次のステップ:\n  kannuki support images    暗号化できるイメージ\n  kannuki support sizes     暗号化できるサイズ\n  kannuki disk encrypt      この VM のディスクを暗号化する`,
  },
  async run({ options }, context) {
    const { config, memoryGb, volumeType = 'ALL', date, ...facts } = options;
    const rules = await readRules(config, context.environment);
    const findings = checkSupport(
      {
        ...facts,
        volumeType,
        memoryMib: memoryGb === undefined ? undefined : memoryGb * 1024,
        date: date ?? new Date().toISOString().slice(0, 10),
      },
      rules,
    );
    const supported = !isRefused(findings);
    const { language } = context;
    return {
      data: { supported, findings: findingsData(findings, language) },
      table: () => findingsTable(findings, language),
      summary: supported
        ? { en: 'This VM can be encrypted.', ja: 'この VM は暗号化できます。' }
        : { en: 'This VM cannot be encrypted.', ja: 'この VM は暗号化できません。' },
      exitCode: supported ? exitCodes.done : exitCodes.refused,
    };
  },
});
