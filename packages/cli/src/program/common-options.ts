import { choice, flag, type OptionValues, text } from './options.ts';

export const outputFormats = ['json', 'table', 'tsv'] as const;
export type OutputFormat = (typeof outputFormats)[number];

/** Options that every command has. */
export const commonOptions = {
  output: choice(
    outputFormats,
    {
      en: 'form of the result; default: table on a terminal, else json',
      ja: '結果の形式。既定: 端末では table、それ以外は json',
    },
    { short: 'o' },
  ),
  query: text('JMESPATH', { en: 'pick from the result, as in az', ja: '結果から抽出する JMESPath 式 (az と同じ)' }),
  progress: choice(['auto', 'json', 'none'], {
    en: 'how long work reports: json is one event a line on standard output',
    ja: '長い処理の進行状況の出し方。json は標準出力に 1 行 1 イベント',
  }),
  lang: choice(['en', 'ja'], {
    en: 'language of messages; default from LANG',
    ja: 'メッセージの言語。既定は LANG による',
  }),
  yes: flag({ en: 'answer yes to every question', ja: 'すべての確認に「はい」と答える' }, { short: 'y' }),
  quiet: flag({ en: 'no text for people on standard error', ja: '標準エラー出力に案内を出さない' }, { short: 'q' }),
  verbose: flag({ en: 'more text for people on standard error', ja: '標準エラー出力に詳しい案内を出す' }),
  noColor: flag({ en: 'no colours (also NO_COLOR)', ja: '色を使わない (NO_COLOR も可)' }),
};

export type CommonValues = OptionValues<typeof commonOptions>;
