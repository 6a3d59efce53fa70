import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-CLI. */
export const cliErrors = {
  'KNK-CLI-0001': {
    exit: 'usage',
    http: 400,
    message: { en: 'unknown option {word}{hint}', ja: 'オプション {word} はありません{hint}' },
    remedy: { en: "see '{command} --help'", ja: "'{command} --help' を参照してください" },
  },
  'KNK-CLI-0002': {
    exit: 'usage',
    http: 400,
    message: { en: 'unknown command {word}{hint}', ja: 'コマンド {word} はありません{hint}' },
    remedy: { en: "see '{command} --help'", ja: "'{command} --help' を参照してください" },
  },
  'KNK-CLI-0003': {
    exit: 'usage',
    http: 400,
    message: { en: '{word} is missing', ja: '{word} が指定されていません' },
    remedy: { en: "see '{command} --help'", ja: "'{command} --help' を参照してください" },
  },
  'KNK-CLI-0004': {
    exit: 'usage',
    http: 400,
    message: {
      en: '{word} has the value "{value}"; it must be {expected}',
      ja: '{word} の値 "{value}" は使えません。使える値: {expected}',
    },
    remedy: { en: "see '{command} --help'", ja: "'{command} --help' を参照してください" },
  },
  'KNK-CLI-0005': {
    exit: 'usage',
    http: 400,
    message: { en: 'the command line is not understood: {problem}', ja: 'コマンド ラインを解釈できません: {problem}' },
    remedy: { en: "see '{command} --help'", ja: "'{command} --help' を参照してください" },
  },
  'KNK-CLI-0006': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'the query "{expression}" is not JMESPath: {reason}',
      ja: '"{expression}" は JMESPath として解釈できません: {reason}',
    },
    remedy: { en: 'see https://jmespath.org for the syntax', ja: '構文は https://jmespath.org を参照してください' },
  },
  'KNK-CLI-0007': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'this is a bug in kannuki (trace {trace}): {problem}',
      ja: 'kannuki の不具合です (トレース {trace}): {problem}',
    },
    remedy: {
      en: 'report it with the trace and the lines below it',
      ja: 'トレースとその下の行を添えて報告してください',
    },
  },
  'KNK-CLI-0008': {
    exit: 'usage',
    http: 400,
    message: {
      en: 'this needs a yes and there is no terminal to ask on: {question}',
      ja: '確認が必要ですが、尋ねる端末がありません: {question}',
    },
    remedy: { en: 'add --yes if you are sure', ja: '確かであれば --yes を付けてください' },
  },
  'KNK-CLI-0009': {
    exit: 'badConfiguration',
    http: 500,
    message: { en: 'cannot read the configuration {path}: {reason}', ja: '設定ファイル {path} を読めません: {reason}' },
    remedy: {
      en: 'correct the file, or name another with --config',
      ja: 'ファイルを修正するか、--config で別のファイルを指定してください',
    },
  },
  'KNK-CLI-0010': {
    exit: 'usage',
    http: 400,
    message: { en: 'arguments too many: {count}', ja: '余分な引数: {count} 個' },
    remedy: {
      en: "put a value with spaces in quotes; see '{command} --help'",
      ja: "空白を含む値は引用符で囲んでください。'{command} --help' を参照してください",
    },
  },
} as const satisfies Record<string, CatalogueEntry>;
