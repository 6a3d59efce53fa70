import { KannukiError } from '@kannuki/core';
import { GuestVaults, VolumeEngine, VolumeRecovery } from '@kannuki/guest';
import { type CommandResult, defineCommand } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { flag, text } from '../../program/options.ts';
import { kitPassphrase } from './kit-passphrase.ts';
import { openDiskVault } from './open-disk-vault.ts';
import { vaultOption } from './vault-option.ts';

export const command = defineCommand({
  description: {
    en: `Without options: prints how to open a volume with stock tools, without Kannuki.
--rebuild-header makes the header of a closed volume anew from its record in the vault when the file is lost or damaged, proves the new one, and keeps the old one beside it.
--kit writes a recovery kit: a LUKS2 header that opens the volume with a person's passphrase alone, and FILE.txt that says how.`,
    ja: `オプションなし: Kannuki なしで標準ツールだけでボリュームを開く手順を表示します。
--rebuild-header: ヘッダー ファイルが失われたか壊れたとき、閉じたボリュームのヘッダーをキー コンテナーのレコードから再構築し、検証します。元のファイルは隣に残します。
--kit: リカバリー キットを作成します。人のパスフレーズだけでボリュームを開ける LUKS2 ヘッダーと、手順を記した FILE.txt です。`,
  },
  operands: [
    {
      name: 'target',
      help: {
        en: 'mount point, device or volume name; with --secret the device',
        ja: 'マウント ポイント、デバイス、またはボリューム名。--secret を指定する場合はデバイス',
      },
      required: true,
      variadic: false,
    },
  ],
  options: {
    rebuildHeader: flag({
      en: 'make a lost or damaged header anew from its record in the vault',
      ja: '失われた、または壊れたヘッダーを、キー コンテナーのレコードから再構築する',
    }),
    kit: text('FILE', {
      en: 'write a recovery kit to FILE and its instructions to FILE.txt; not onto the volume itself',
      ja: 'リカバリー キットを FILE に、手順を FILE.txt に書き込む (対象ボリューム上は不可)',
    }),
    passphraseFile: text('FILE|-', {
      en: 'passphrase of the kit from a file of mode 0600, or with - from standard input, on a terminal typed twice; default: one is made and shown once',
      ja: 'キットのパスフレーズを、モード 0600 のファイル、または - で標準入力 (端末では 2 回入力) から読み取る。既定: 生成して一度だけ表示する',
    }),
    secret: text('URL', {
      en: 'id of the secret that holds the passphrase, when the journal in /var/lib/kannuki is lost too; needs --rebuild-header and --vault',
      ja: '/var/lib/kannuki のジャーナルも失われたときに、パスフレーズのシークレットの ID。--rebuild-header と --vault が必要',
    }),
    vault: vaultOption,
  },
  examples: [
    {
      line: 'kannuki disk recover /data0',
      does: { en: 'print the steps; keep them with your papers', ja: '手順を表示する。控えとして保管してください' },
    },
    {
      line: 'kannuki disk recover /data0 --kit /mnt/usb/data0.kit',
      does: {
        en: 'make a recovery kit, its passphrase shown once',
        ja: 'リカバリー キットを作成し、パスフレーズを一度表示する',
      },
    },
    {
      line: 'kannuki disk recover /data0 --rebuild-header',
      does: { en: 'the header file is gone: make it anew', ja: '失われたヘッダー ファイルを再構築する' },
    },
  ],
  async run({ operands, options }, context) {
    const [target = ''] = operands;
    const { kit, rebuildHeader, secret, passphraseFile } = options;
    if (kit !== undefined && rebuildHeader) throw usage('--kit and --rebuild-header exclude each other');
    if (secret !== undefined && (!rebuildHeader || options.vault === undefined)) {
      throw usage('--secret needs --rebuild-header and --vault');
    }
    if (passphraseFile !== undefined && kit === undefined) throw usage('--passphrase-file needs --kit');
    await using vaults = new GuestVaults(openDiskVault, options.vault);
    if (kit !== undefined) return await writeKit(target, kit, passphraseFile, vaults, context);
    if (rebuildHeader) return await rebuild(target, secret, vaults, context);
    return await printSteps(target, context);
  },
});

async function printSteps(target: string, { language }: CommandContext): Promise<CommandResult> {
  const steps = await new VolumeEngine().recoverySteps(target);
  const data = steps.map(({ what, command: line }) => ({ what: what[language], command: line }));
  const lines = data
    .map(({ what, command: line }, index) => `${index + 1}. ${what}\n${line === null ? '' : `     ${line}\n`}`)
    .join('\n');
  return { data, text: lines };
}

async function writeKit(
  target: string,
  file: string,
  passphraseFile: string | undefined,
  vaults: GuestVaults,
  { language }: CommandContext,
): Promise<CommandResult> {
  using passphrase = await kitPassphrase(passphraseFile, language);
  const data = await new VolumeRecovery().makeKit(target, file, passphrase.value, (uri) => vaults.of(uri));
  passphrase.reveal();
  return {
    data,
    summary: {
      en: `Keep ${data.kit} and its passphrase apart from each other. A change of the volume key makes it worthless: then make a new one.`,
      ja: `${data.kit} とパスフレーズは別々に保管してください。ボリューム キーを変更したら作り直しが必要です。`,
    },
  };
}

async function rebuild(
  target: string,
  secret: string | undefined,
  vaults: GuestVaults,
  context: CommandContext,
): Promise<CommandResult> {
  const recovery = new VolumeRecovery({
    onSearch: (volume, bytesDone) =>
      context.detail({ en: `${volume}: searched ${bytesDone} bytes`, ja: `${volume}: ${bytesDone} バイトを検索済み` }),
  });
  const data =
    secret === undefined
      ? await recovery.rebuildHeader(target, (uri) => vaults.of(uri))
      : await recovery.rebuildHeaderFromSecret(secret, target, await vaults.of(''));
  const next =
    secret === undefined
      ? `kannuki disk unlock ${data.volume}`
      : `cryptsetup open --header ${data.header} ${target} ${data.volume}`;
  return {
    data,
    summary: {
      en: `The header is there again, and was proved. Next: ${next}`,
      ja: `ヘッダーを再構築し、検証しました。次の手順: ${next}`,
    },
  };
}

function usage(problem: string): KannukiError {
  return new KannukiError('KNK-CLI-0005', { details: { command: 'kannuki disk recover', problem } });
}
