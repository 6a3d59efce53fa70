import { readFile } from 'node:fs/promises';
import { catalogue, catalogueEntry, type ErrorCode, type ExitName, exitCodes, writeFileDurably } from '@kannuki/core';

/**
 * Makes docs/errors.md from the error catalogue. `npm run docs:errors` writes it; a test holds that it is up to date.
 * With `--check` it only says so, with exit code 1, when the file has to be made again.
 */
export const errorsDocPath = new URL('../docs/errors.md', import.meta.url).pathname;

const exitMeanings: Readonly<Record<ExitName, string>> = {
  done: 'done',
  failed: 'failed',
  usage: 'the command line is wrong',
  notFound: 'what was named does not exist',
  refused: 'refused by a check; findings are on standard output',
  unavailable: 'a service cannot be reached',
  tryAgain: 'try again later: busy, throttled',
  notPermitted: 'not permitted',
  badConfiguration: 'the configuration is wrong',
};

export function errorsDoc(): string {
  const codes = (Object.keys(catalogue) as ErrorCode[]).toSorted();
  return [
    '# Errors and exit codes',
    '',
    '<!-- Made by `npm run docs:errors` from packages/core/src/errors; do not edit. -->',
    '',
    'An error is one line on standard error, `kannuki: error CODE: what; remedy`. With `-o json` standard output has',
    '`{"error":{"code","message","remedy","details"}}`, and `"findings"` where checks refused. Codes never change their meaning.',
    'A code that is not listed here does not exist; anything else that goes wrong is a bug and is shown as KNK-CLI-0007 with a trace.',
    '',
    '## Exit codes',
    '',
    '| exit code | name | meaning |',
    '|---|---|---|',
    ...(Object.keys(exitCodes) as ExitName[]).map((name) => `| ${exitCodes[name]} | ${name} | ${exitMeanings[name]} |`),
    '',
    '## Errors',
    '',
    'Words in braces are filled in from the details.',
    '',
    ...codes.flatMap(section),
  ].join('\n');
}

function section(code: ErrorCode): string[] {
  const { exit, http, message, remedy } = catalogueEntry(code);
  return [
    `### ${code}`,
    '',
    `Exit code ${exitCodes[exit]} (${exit}), HTTP ${http}.`,
    '',
    '| | what | remedy |',
    '|---|---|---|',
    `| en | ${cell(message.en)} | ${cell(remedy.en)} |`,
    `| ja | ${cell(message.ja)} | ${cell(remedy.ja)} |`,
    '',
  ];
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

if (import.meta.main) {
  const wanted = errorsDoc();
  if (!process.argv.includes('--check')) {
    await writeFileDurably(errorsDocPath, wanted);
  } else if ((await readFile(errorsDocPath, 'utf8')) !== wanted) {
    process.stderr.write('docs/errors.md is not up to date: run npm run docs:errors\n');
    process.exitCode = 1;
  }
}
