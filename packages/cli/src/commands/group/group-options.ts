import { dataOption } from '../../azure-client/data-option.ts';
import { text } from '../../program/options.ts';

/** How every command for one group names it; `-g` and `-n` mean the same in az, and `-n` is what it prints. */
export const groupOptions = {
  name: text('RG', { en: 'name of the resource group', ja: 'リソース グループの名前' }, { short: 'n', required: true }),
  data: dataOption,
};
