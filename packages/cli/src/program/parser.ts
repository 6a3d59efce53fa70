import type { Language, Text } from '@kannuki/core';
import { Option as CommanderOption, type Help, Command as Parser } from 'commander';
import { displayWidth } from '../output/width.ts';
import type { AnyCommand, CommandEntry } from './command.ts';
import { commonOptions } from './common-options.ts';
import type { OutputStream } from './context.ts';
import { flagName, type Option, type Options } from './options.ts';

/** Headings of commander's help, in Japanese. */
const headings: Readonly<Record<string, string>> = {
  'Usage:': '使い方:',
  'Arguments:': '引数:',
  'Options:': 'オプション:',
  'Commands:': 'コマンド:',
};

const words = {
  help: { en: 'show this help', ja: 'このヘルプを表示する' },
  version: { en: 'show the version', ja: 'バージョンを表示する' },
  examples: { en: 'Examples:', ja: '例:' },
} as const satisfies Record<string, Text>;

/** A commander parser for one command, made from its description. */
export function commandParser(
  entry: CommandEntry,
  command: AnyCommand,
  language: Language,
  stdout: OutputStream,
): Parser {
  const description = [entry.summary, command.description].flatMap((one) => (one === undefined ? [] : [one[language]]));
  const parser = bareParser(`kannuki ${entry.path}`, language, stdout).description(description.join('\n\n'));
  for (const operand of command.operands ?? []) {
    const name = operand.variadic ? `${operand.name}...` : operand.name;
    parser.argument(operand.required ? `<${name}>` : `[${name}]`, operand.help[language]);
  }
  addOptions(parser, command.options, language);
  addOptions(parser, commonOptions, language);
  const examples = command.examples.flatMap(({ does, line }) => [`  # ${does[language]}`, `  ${line}`, '']);
  const notes = command.notes === undefined ? [] : [command.notes[language], ''];
  return parser.addHelpText('after', ['', words.examples[language], ...examples, ...notes].join('\n').trimEnd());
}

/** A parser that only knows the commands below a word: for help, and to say what is unknown. */
export function groupParser(
  name: string,
  below: readonly { readonly name: string; readonly summary: Text }[],
  texts: { readonly description: string; readonly after: string },
  language: Language,
  stdout: OutputStream,
): Parser {
  const parser = bareParser(name, language, stdout).description(texts.description).helpCommand(false);
  for (const { name: word, summary } of below) {
    parser
      .command(word)
      .description(summary[language])
      .helpOption(false)
      .action(() => {});
  }
  addOptions(parser, commonOptions, language);
  return texts.after === '' ? parser : parser.addHelpText('after', `\n${texts.after}`);
}

export function addVersion(parser: Parser, version: string, language: Language): void {
  parser.version(version, '-V, --version', words.version[language]);
}

function bareParser(name: string, language: Language, stdout: OutputStream): Parser {
  return new Parser(name)
    .exitOverride()
    .allowExcessArguments(false)
    .helpOption('-h, --help', words.help[language])
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      // Errors are reported once, by the program, not by the parser.
      writeErr: () => {},
      getOutHelpWidth: () => stdout.columns ?? 100,
      getOutHasColors: () => false,
    })
    .configureHelp({
      displayWidth: (text: string) => displayWidth(text),
      styleTitle: (text: string) => (language === 'ja' ? (headings[text] ?? text) : text),
      optionDescription: (option: CommanderOption) => option.description,
    } satisfies Partial<Help>);
}

function addOptions(parser: Parser, options: Options, language: Language): void {
  for (const [name, option] of Object.entries(options)) {
    parser.addOption(commanderOption(name, option, language));
  }
}

function commanderOption(name: string, option: Option<unknown>, language: Language): CommanderOption {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const value = {
    flag: '',
    switch: ` [${option.placeholder}]`,
    value: ` <${option.placeholder}>`,
    list: ` <${option.placeholder}...>`,
  }[option.kind];
  const made = new CommanderOption(`${short}${flagName(name)}${value}`, option.help[language]);
  if (option.required) made.makeOptionMandatory();
  if (option.kind === 'value' || option.kind === 'switch') made.argParser((word: string) => option.parse(word));
  if (option.kind === 'list') {
    made.argParser((word: string, before: unknown) => [...(Array.isArray(before) ? before : []), option.parse(word)]);
  }
  return made;
}

/** The options that a parser has read, by the names that the commands use. */
export function readOptions(parser: Parser, options: Options): Record<string, unknown> {
  const values: Record<string, unknown> = parser.opts();
  return Object.fromEntries(
    Object.entries(options).map(([name, option]) => {
      // commander reads `--no-color` as the value false of `color`.
      const negated = /^no([A-Z])(.*)$/.exec(name);
      if (negated !== null) return [name, values[`${negated[1]?.toLowerCase()}${negated[2]}`] === false];
      const empty = { flag: false, switch: undefined, value: undefined, list: [] }[option.kind];
      return [name, values[name] ?? empty];
    }),
  );
}
