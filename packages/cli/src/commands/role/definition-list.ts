import { connectAzure } from '../../azure-client/connect.ts';
import { dataOption } from '../../azure-client/data-option.ts';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';
import { definitionShape, roleDefinitions, scopeOf, scopeOption } from './roles.ts';

export const command = defineCommand({
  options: {
    name: text('NAME|GUID', { en: 'only this role', ja: 'このロールのみ' }, { short: 'n' }),
    scope: scopeOption,
    data: dataOption,
  },
  examples: [
    {
      line: "kannuki role definition list --query '[].roleName'",
      does: { en: 'names of all roles', ja: 'すべてのロールの名前' },
    },
  ],
  async run({ options: { name, scope, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    const all = (await roleDefinitions(azure, await scopeOf(azure, scope))).map(definitionShape) as {
      readonly name: unknown;
      readonly roleName: unknown;
    }[];
    const wanted = name?.toLowerCase();
    const found = all.filter(
      (one) => wanted === undefined || [one.name, one.roleName].some((word) => String(word).toLowerCase() === wanted),
    );
    return { data: found };
  },
});
