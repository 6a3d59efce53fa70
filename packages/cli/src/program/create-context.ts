import { KannukiError, type Language, type Text } from '@kannuki/core';
import { createProgress, type ProgressStyle } from '../output/progress.ts';
import type { CommonValues } from './common-options.ts';
import type { CommandContext, Surroundings } from './context.ts';

/** What a command gets, made from the common options and the surroundings. */
export function createContext(common: CommonValues, language: Language, surroundings: Surroundings): CommandContext {
  const { stdout, stderr, environment } = surroundings;
  const say = (message: Text): void => {
    if (!common.quiet) stderr.write(`${message[language]}\n`);
  };
  const style = progressStyle(common, surroundings);
  return {
    language,
    environment,
    verbose: common.verbose,
    writeLine: (line) => stdout.write(`${line}\n`),
    say,
    detail: (message) => (common.verbose ? say(message) : undefined),
    progress: createProgress({ style, language, people: stderr, events: stdout, now: surroundings.now }),
    async confirm(question) {
      if (common.yes) return true;
      if (surroundings.ask === undefined) {
        throw new KannukiError('KNK-CLI-0008', { details: { question: question[language] } });
      }
      const answer = await surroundings.ask(`${question[language]} [yes/NO] `);
      return /^(?:yes|はい)$/i.test(answer.trim());
    },
    get signal() {
      return surroundings.interruption();
    },
  };
}

function progressStyle(common: CommonValues, surroundings: Surroundings): ProgressStyle {
  if (common.progress === 'json' || common.progress === 'none') return common.progress;
  if (common.quiet) return 'none';
  return surroundings.stderr.isTTY === true && surroundings.environment.TERM !== 'dumb' ? 'bar' : 'lines';
}
