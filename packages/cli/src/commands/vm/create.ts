import { renderFinding } from '@kannuki/core';
import { defineCommand } from '../../program/command.ts';
import { numberList, text } from '../../program/options.ts';
import { connectAdmin } from '../server/admin-connection.ts';
import { vmOptions } from './vm-options.ts';

export const command = defineCommand({
  description: {
    en: 'Makes a VM with empty data disks from an image of this host and starts it. Its agent joins the server by itself.',
    ja: 'このホストのイメージから空のデータ ディスク付きの VM を作成し、起動します。エージェントは自動でサーバーに参加します。',
  },
  options: {
    ...vmOptions,
    image: text(
      'URN|NAME',
      { en: 'image; see `kannuki image list`', ja: 'イメージ (`kannuki image list` を参照)' },
      { required: true },
    ),
    size: text('SIZE', { en: 'VM size, e.g. Standard_B1ms', ja: 'VM サイズ。例: Standard_B1ms' }, { required: true }),
    dataDiskSizesGb: numberList('N', { en: 'sizes of the data disks, GB', ja: 'データ ディスクのサイズ (GB)' }),
    location: text(
      'LOCATION',
      { en: "region; default the server's own", ja: 'リージョン。既定はサーバーのもの' },
      { short: 'l' },
    ),
    zone: text('Z', { en: 'availability zone', ja: '可用性ゾーン' }),
  },
  examples: [
    {
      line: 'kannuki vm create -g rg1 -n vm1 --image debian-12 --size Standard_B1ms --data-disk-sizes-gb 8',
      does: { en: 'a VM with one data disk of 8 GB', ja: '8 GB のデータ ディスクを 1 つ持つ VM' },
    },
  ],
  async run({ options }, context) {
    const { resourceGroup, name, image, size, location, zone, dataDiskSizesGb, data } = options;
    const { vm, findings } = await connectAdmin(data, context.environment).call('vm-create', {
      resourceGroup,
      name,
      image,
      size,
      location: location ?? null,
      zone: zone ?? null,
      dataDiskSizesGb: [...dataDiskSizesGb],
    });
    for (const finding of findings) {
      const say = (language: 'en' | 'ja'): string => {
        const { rule, subject, message, remedy } = renderFinding(finding, language);
        return `${rule} ${subject}: ${message}; ${remedy}`;
      };
      context.say({ en: `This VM cannot be encrypted: ${say('en')}`, ja: `この VM は暗号化できません: ${say('ja')}` });
    }
    const made = vm as { id: string; location: string; powerState: string; zones: string[] | null };
    return {
      // The keys of `az vm create`; a VM behind user-mode networking has no address of its own.
      data: {
        fqdns: '',
        id: made.id,
        location: made.location,
        macAddress: '',
        powerState: made.powerState,
        privateIpAddress: '',
        publicIpAddress: '',
        resourceGroup,
        zones: made.zones ?? '',
      },
    };
  },
});
