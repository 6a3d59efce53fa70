import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { findVault, propertiesOf, type Resource } from '../../../azure-client/resources.ts';
import { defineCommand } from '../../../program/command.ts';
import { list } from '../../../program/options.ts';
import { changeVault } from './put-vault.ts';
import { vaultOptions } from './vault-options.ts';

interface NetworkAcls {
  readonly ipRules?: readonly { readonly value: string }[];
}

const ipAddress = list('ADDRESS|CIDR', {
  en: 'IPv4 or IPv6 address, or a range such as 10.0.0.0/8',
  ja: 'IPv4 または IPv6 アドレス、または範囲 (例: 10.0.0.0/8)',
});

const description = {
  en: 'Rules count once the vault refuses what they do not name: `keyvault update --default-action Deny`.',
  ja: '規則は、規則にないアドレスを拒否する設定 (`keyvault update --default-action Deny`) で有効になります。',
};

export const addCommand = defineCommand({
  description,
  options: { ...vaultOptions, ipAddress },
  examples: [
    {
      line: 'kannuki keyvault network-rule add -n kv1 --ip-address 10.1.0.0/16',
      does: { en: 'let a network in', ja: 'ネットワークからのアクセスを許可する' },
    },
  ],
  async run({ options }, context) {
    requireAddress(options.ipAddress);
    using azure = await connectAzure(options.data, context.environment);
    const change = (properties: Readonly<Record<string, unknown>>): object =>
      withRules(properties, (rules) => [...new Set([...rules, ...options.ipAddress])]);
    return { data: await changeVault(azure, options, change, context) };
  },
});

export const removeCommand = defineCommand({
  description,
  options: { ...vaultOptions, ipAddress },
  examples: [
    {
      line: 'kannuki keyvault network-rule remove -n kv1 --ip-address 10.1.0.0/16',
      does: { en: 'shut a network out', ja: 'ネットワークの許可を取り消す' },
    },
  ],
  async run({ options }, context) {
    requireAddress(options.ipAddress);
    using azure = await connectAzure(options.data, context.environment);
    const change = (properties: Readonly<Record<string, unknown>>): object =>
      withRules(properties, (rules) => rules.filter((rule) => !options.ipAddress.some((one) => isSame(one, rule))));
    return { data: await changeVault(azure, options, change, context) };
  },
});

export const listCommand = defineCommand({
  options: vaultOptions,
  examples: [
    { line: 'kannuki keyvault network-rule list -n kv1', does: { en: 'the rules of kv1', ja: 'kv1 の規則の一覧' } },
  ],
  async run({ options: { name, resourceGroup, data } }, context) {
    using azure = await connectAzure(data, context.environment);
    return { data: aclsOf(await findVault(azure, name, resourceGroup)) };
  },
});

function requireAddress(addresses: readonly string[]): void {
  if (addresses.length > 0) return;
  const details = { word: '--ip-address <ADDRESS|CIDR>', command: 'kannuki keyvault network-rule' };
  throw new KannukiError('KNK-CLI-0003', { details });
}

function aclsOf(vault: Resource): object {
  const usual = { bypass: 'AzureServices', defaultAction: 'Allow', ipRules: [], virtualNetworkRules: [] };
  return { ...usual, ...(propertiesOf(vault).networkAcls as object | undefined) };
}

function withRules(
  properties: Readonly<Record<string, unknown>>,
  change: (rules: readonly string[]) => readonly string[],
): object {
  const acls = (properties.networkAcls ?? { bypass: 'AzureServices', defaultAction: 'Allow' }) as NetworkAcls;
  const rules = change((acls.ipRules ?? []).map(({ value }) => value));
  return { networkAcls: { ...acls, ipRules: rules.map((value) => ({ value })) } };
}

/** The server may write one address as a range of one. */
function isSame(one: string, other: string): boolean {
  const whole = (rule: string): string => rule.replace(/\/(?:32|128)$/, '').toLowerCase();
  return whole(one) === whole(other);
}
