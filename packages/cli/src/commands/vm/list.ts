import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { connectAdmin, dataOption } from '../server/admin-connection.ts';

interface Row {
  readonly name: string;
  readonly resourceGroup: string;
  readonly location: string;
  readonly powerState: string;
  readonly hardwareProfile: { readonly vmSize: string };
}

export const command = defineCommand({
  options: {
    resourceGroup: text('RG', { en: 'only this resource group', ja: 'このリソース グループのみ' }, { short: 'g' }),
    data: dataOption,
  },
  examples: [
    { line: 'kannuki vm list -o table', does: { en: 'all VMs as a table', ja: 'すべての VM を表で表示する' } },
  ],
  async run({ options }, context) {
    const admin = connectAdmin(options.data, context.environment);
    const vms = (await admin.call('vm-list', { resourceGroup: options.resourceGroup ?? null })) as readonly Row[];
    const titles =
      context.language === 'ja'
        ? ['名前', 'リソース グループ', '場所', 'サイズ', '電源']
        : ['Name', 'ResourceGroup', 'Location', 'Size', 'Power'];
    return {
      data: vms,
      table: () => ({
        columns: titles.map((title) => ({ title })),
        rows: vms.map(({ name, resourceGroup, location, hardwareProfile, powerState }) => [
          name,
          resourceGroup,
          location,
          hardwareProfile.vmSize,
          powerState,
        ]),
      }),
    };
  },
});
