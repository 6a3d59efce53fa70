import { cellText, type Table } from '../../../output/table.ts';
import type { Wire } from './shapes.ts';

/** Keys or secrets, one or many, as the vault answered them. `value` is shown where it was asked for. */
export function objectTable(items: readonly Wire[], value?: string): Table {
  const titles = ['Name', 'Enabled', 'Expires', ...(value === undefined ? [] : ['Value'])];
  return {
    columns: [...titles.map((title) => ({ title })), { title: 'Id', wrap: true }],
    rows: items.map((item) => {
      const { enabled, exp } = (item.attributes ?? {}) as Wire;
      const id = cellText(item.kid ?? (item.key as Wire | undefined)?.kid ?? item.id);
      const expires = typeof exp === 'number' ? new Date(exp * 1000).toISOString().slice(0, 10) : '';
      return [id.split('/')[4] ?? '', cellText(enabled), expires, ...(value === undefined ? [] : [value]), id];
    }),
  };
}
