import { isRefused } from '@kannuki/core';
import { checkSupport, type SupportRules, type VmSize } from '@kannuki/support';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { configOption, readRules } from './rules.ts';

export const command = defineCommand({
  description: {
    en: 'For each size: whether data volumes, and whether OS and data volumes (with little space used on /) can be encrypted.',
    ja: '各サイズについて、データ ボリューム、および OS とデータの両方のボリューム (/ の使用量が少ない場合) を暗号化できるかを表示します。',
  },
  options: {
    filter: text('TEXT', {
      en: 'only sizes whose name or family contains this text',
      ja: '名前かファミリーにこの文字列を含むサイズだけを表示する',
    }),
    config: configOption,
  },
  examples: [
    {
      line: 'kannuki support sizes --filter D4s',
      does: { en: 'sizes that are called so', ja: 'この名前を含むサイズ' },
    },
    {
      line: "kannuki support sizes --query '[?osVolume && memoryGib < `16`].name' -o tsv",
      does: { en: 'small sizes on which the OS disk can be encrypted', ja: 'OS ディスクを暗号化できる小さなサイズ' },
    },
  ],
  notes: {
    en: 'Next steps:\n  kannuki support check --urn URN --size SIZE',
    ja: '次のステップ:\n  kannuki support check --urn URN --size SIZE',
  },
  async run({ options }, context) {
    const rules = await readRules(options.config, context.environment);
    const wanted = options.filter?.toLowerCase() ?? '';
    const sizes = rules.sizes.filter(({ name, family }) => `${name}\n${family}`.toLowerCase().includes(wanted));
    const shown = sizes.map((size) => sizeRow(size, rules));
    return {
      data: shown,
      table: () => ({
        columns: [
          { title: 'Name' },
          { title: 'vCPUs', align: 'right' },
          { title: 'MemoryGib', align: 'right' },
          { title: 'Generations' },
          { title: 'TemporaryDiskGib', align: 'right' },
          { title: 'DataVolumes' },
          { title: 'OsVolume' },
          { title: 'RefusedBy' },
        ],
        rows: shown.map((row) => [
          row.name,
          String(row.vCpus),
          String(row.memoryGib),
          row.generations.join(','),
          row.temporaryDiskGib === null ? '?' : String(row.temporaryDiskGib),
          row.dataVolumes ? 'yes' : 'no',
          row.osVolume ? 'yes' : 'no',
          row.refusedBy.join(','),
        ]),
      }),
    };
  },
});

function sizeRow(size: VmSize, rules: SupportRules) {
  const data = checkSupport({ volumeType: 'DATA', size: size.name }, rules);
  const all = checkSupport({ volumeType: 'ALL', size: size.name, rootUsedGb: 0 }, rules);
  const refusals = [...data, ...all].filter((finding) => finding.severity === 'refuse');
  return {
    name: size.name,
    family: size.family,
    vCpus: size.vCpusAvailable,
    memoryGib: size.memoryMib / 1024,
    generations: size.generations,
    temporaryDiskGib: size.temporaryDiskMib === null ? null : size.temporaryDiskMib / 1024,
    premiumStorage: size.premiumIo,
    architecture: size.architecture,
    dataVolumes: !isRefused(data),
    osVolume: !isRefused(all),
    refusedBy: [...new Set(refusals.map((finding) => finding.rule))].sort(),
  };
}
