import { text } from '../../program/options.ts';
import { dataOption } from '../server/admin-connection.ts';

/** How every command for one VM names it. */
export const vmOptions = {
  resourceGroup: text('RG', { en: 'resource group', ja: 'リソース グループ' }, { short: 'g', required: true }),
  name: text('VM', { en: 'name of the VM', ja: 'VM の名前' }, { short: 'n', required: true }),
  data: dataOption,
};

/** `/subscriptions/…/vaults/kv1` → `kv1`; a plain name stays (REQ-121). */
export function lastSegment(nameOrId: string): string {
  return nameOrId.startsWith('/') ? (nameOrId.split('/').at(-1) ?? nameOrId) : nameOrId;
}
