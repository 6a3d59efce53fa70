import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { defineCommand } from '../../../program/command.ts';
import { isFor, policiesOf, policyOptions, principalOf } from './policies.ts';
import { changeVault } from './put-vault.ts';

export const command = defineCommand({
  options: policyOptions,
  examples: [
    {
      line: 'kannuki keyvault delete-policy -n kv1 --object-id OBJECTID',
      does: { en: 'may do nothing with the data any more', ja: 'データに対する権限をすべて取り消す' },
    },
  ],
  async run({ options }, context) {
    using azure = await connectAzure(options.data, context.environment);
    const objectId = await principalOf(azure, options, 'kannuki keyvault delete-policy');
    const change = (properties: Readonly<Record<string, unknown>>): object => {
      const all = policiesOf(properties);
      const others = all.filter((policy) => !isFor(policy, objectId));
      if (others.length < all.length) return { accessPolicies: others };
      const details = { what: `access policy of ${objectId}`, reason: `${options.name} has none for it` };
      throw new KannukiError('KNK-AZC-0001', { details });
    };
    return { data: await changeVault(azure, options, change, context) };
  },
});
