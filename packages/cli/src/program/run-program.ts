import { exitCodes, KannukiError, type Language, languageOf, type Text } from '@kannuki/core';
import { CommanderError } from 'commander';
import packageFile from '../../package.json' with { type: 'json' };
import { commandGroups } from '../commands/registry.ts';
import { renderResult } from '../output/render.ts';
import { about } from './about.ts';
import type { AnyCommand, CommandEntry } from './command.ts';
import { type CommonValues, commonOptions, type OutputFormat, outputFormats } from './common-options.ts';
import type { Surroundings } from './context.ts';
import { createContext } from './create-context.ts';
import { entriesBelow, type Location, locate, peekOption } from './locate.ts';
import { addVersion, commandParser, groupParser, readOptions } from './parser.ts';
import { reportError } from './report-error.ts';
import { usageError } from './usage-error.ts';

/**
 * Runs one command line to its end.
 * @param argv the words after `kannuki`
 * @returns the exit code (one of `exitCodes`)
 */
export async function runProgram(argv: readonly string[], surroundings: Surroundings): Promise<number> {
  const language = wantedLanguage(argv, surroundings.environment);
  try {
    const location = locate(argv);
    if (location.entry === undefined) return showGroup(location, language, surroundings);
    return await runCommand(location.entry, location, language, surroundings);
  } catch (thrown) {
    const format = formatOf(peekOption(argv, ['-o', '--output']), surroundings);
    const verbose = argv.includes('--verbose');
    const compact = peekOption(argv, ['--progress']) === 'json';
    const { stdout, stderr } = surroundings;
    return reportError(thrown, { stdout, stderr, language, format, verbose, compact });
  }
}

async function runCommand(
  entry: CommandEntry,
  location: Location,
  language: Language,
  surroundings: Surroundings,
): Promise<number> {
  const command = await entry.load();
  const parser = commandParser(entry, command, language, surroundings.stdout);
  const words = location.help ? [...location.rest, '--help'] : [...location.rest];
  if (!parses(() => parser.parse(words, { from: 'user' }), `kannuki ${entry.path}`)) return exitCodes.done;

  const common = readOptions(parser, commonOptions) as unknown as CommonValues;
  const options = readOptions(parser, command.options);
  return execute(command, { options, operands: parser.args }, common, language, surroundings);
}

async function execute(
  command: AnyCommand,
  input: { readonly options: Record<string, unknown>; readonly operands: readonly string[] },
  common: CommonValues,
  language: Language,
  surroundings: Surroundings,
): Promise<number> {
  const { stdout } = surroundings;
  const context = createContext(common, language, surroundings);
  try {
    const result = await command.run({ options: input.options as never, operands: input.operands }, context);
    context.progress.end();
    const format = formatOf(common.output, surroundings);
    const columns = stdout.isTTY === true ? stdout.columns : undefined;
    const compact = common.progress === 'json';
    const rendered = await renderResult(result, { format, query: common.query, columns, compact });
    if (rendered !== '') stdout.write(rendered);
    if (result.summary !== undefined && format === 'table') context.say(result.summary);
    return result.exitCode ?? exitCodes.done;
  } finally {
    context.progress.end();
  }
}

/** `kannuki`, `kannuki disk`: help with what is below; anything else here is not a command. */
function showGroup(location: Location, language: Language, surroundings: Surroundings): number {
  const { path, rest, help } = location;
  const name = ['kannuki', ...path].join(' ');
  const group = commandGroups.find((one) => one.name === path[0]);
  const texts =
    group === undefined
      ? { description: about.purpose[language], after: about.next[language] }
      : { description: group.summary[language], after: '' };
  const parser = groupParser(name, wordsBelow(path), texts, language, surroundings.stdout);
  if (path.length === 0) addVersion(parser, packageFile.version, language);
  const wantsHelp = help || rest.length === 0;
  const words = wantsHelp ? [...rest, '--help'] : [...rest];
  if (!parses(() => parser.parse(words, { from: 'user' }), name)) {
    // Help was asked for, or nothing was: only the first is a success.
    return wantsHelp && !help && path.length > 0 ? exitCodes.usage : exitCodes.done;
  }
  throw new KannukiError('KNK-CLI-0003', { details: { word: 'COMMAND', command: name } });
}

/** The next words after a path, each once, with what it means. */
function wordsBelow(path: readonly string[]): { name: string; summary: Text }[] {
  const found = new Map<string, Text>();
  for (const entry of entriesBelow(path)) {
    const words = entry.path.split(' ');
    const word = words[path.length];
    if (word === undefined || found.has(word)) continue;
    const leaf = words.length === path.length + 1;
    const group = commandGroups.find((one) => one.name === word && path.length === 0);
    found.set(word, leaf ? entry.summary : (group?.summary ?? { en: `${word} …`, ja: `${word} …` }));
  }
  return [...found].map(([name, summary]) => ({ name, summary }));
}

/** False when the parser answered by itself (help, version). @throws KannukiError on a usage error */
function parses(parse: () => unknown, command: string): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return false;
    throw usageError(error, command);
  }
}

function wantedLanguage(argv: readonly string[], environment: Surroundings['environment']): Language {
  return languageOf(peekOption(argv, ['--lang']) ?? environment.LC_ALL ?? environment.LC_MESSAGES ?? environment.LANG);
}

function formatOf(asked: string | undefined, surroundings: Surroundings): OutputFormat {
  const format = outputFormats.find((one) => one === asked?.toLowerCase());
  return format ?? (surroundings.stdout.isTTY === true ? 'table' : 'json');
}
