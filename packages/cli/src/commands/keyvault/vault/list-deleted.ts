import { connectAzure } from '../../../azure-client/connect.ts';
import { dataOption } from '../../../azure-client/data-option.ts';
import { propertiesOf } from '../../../azure-client/resources.ts';
import { cellText } from '../../../output/table.ts';
import { defineCommand } from '../../../program/command.ts';
import { listDeletedVaults } from './deleted-vaults.ts';

export const command = defineCommand({
  options: { data: dataOption },
  examples: [
    {
      line: 'kannuki keyvault list-deleted',
      does: { en: 'vaults that can be recovered', ja: '復旧できるキー コンテナー' },
    },
  ],
  async run({ options: { data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const vaults = await listDeletedVaults(azure);
    return {
      data: vaults,
      table: () => ({
        columns: [{ title: 'Name' }, { title: 'Location' }, { title: 'Deleted' }, { title: 'PurgedOn' }],
        rows: vaults.map((vault) => {
          const { location, deletionDate, scheduledPurgeDate } = propertiesOf(vault);
          return [vault.name, location, deletionDate, scheduledPurgeDate].map(cellText);
        }),
      }),
    };
  },
});
