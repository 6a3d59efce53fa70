import { connectAzure } from '../../azure-client/connect.ts';
import { dataOption } from '../../azure-client/data-option.ts';
import { resourceApiVersion, subscriptionPath } from '../../azure-client/resources.ts';
import { cellText } from '../../output/table.ts';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  options: { data: dataOption },
  examples: [{ line: 'kannuki group list -o table', does: { en: 'all groups', ja: 'すべてのグループ' } }],
  async run({ options: { data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const groups = await azure.list({
      plane: 'management',
      path: `${await subscriptionPath(azure)}/resourceGroups`,
      apiVersion: resourceApiVersion,
      what: 'resource groups',
    });
    return {
      data: groups,
      table: () => ({
        columns: [{ title: 'Name' }, { title: 'Location' }, { title: 'Status' }],
        rows: groups.map(({ name, location, properties }) => [
          String(name),
          String(location),
          cellText((properties as { provisioningState?: unknown } | undefined)?.provisioningState),
        ]),
      }),
    };
  },
});
