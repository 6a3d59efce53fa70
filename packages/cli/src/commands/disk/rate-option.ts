import { largestRate, smallestRate } from '@kannuki/guest';
import { bytes } from '../../program/options.ts';

/** `--max-rate`: the same words in every command that has it. */
export const rateOption = bytes(
  'BYTES',
  {
    en: 'bytes a second on average that the work may convert, e.g. 50M; it can be changed later with `disk pace`',
    ja: '変換する平均バイト数/秒の上限 (例: 50M)。後から `disk pace` で変更できます',
  },
  { least: smallestRate, most: largestRate },
);
