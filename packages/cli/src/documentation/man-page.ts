import { exitCodes } from '@kannuki/core';
import { flagName, type Option } from '../program/options.ts';
import type { DescribedCommand } from './described.ts';

/** A manual page (section 1, man(7) macros) of one command, made from the same description as its `--help`. */
export function manPage({ entry, command, options }: DescribedCommand, version: string): string {
  const name = `kannuki-${entry.path.replaceAll(' ', '-')}`;
  const operands = (command.operands ?? []).map((operand) => {
    const word = `${operand.name.toUpperCase()}${operand.variadic ? '…' : ''}`;
    return operand.required ? word : `[${word}]`;
  });
  const lines = [
    `.TH ${name.toUpperCase()} 1 "" "kannuki ${version}" "Kannuki"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(entry.summary.en)}`,
    '.SH SYNOPSIS',
    `.B kannuki ${roff(entry.path)}`,
    roff(['[OPTION]…', ...operands].join(' ')),
  ];
  if (command.description !== undefined) lines.push('.SH DESCRIPTION', ...paragraphs(command.description.en));
  lines.push('.SH OPTIONS');
  for (const operand of command.operands ?? []) {
    lines.push('.TP', `.I ${roff(operand.name.toUpperCase())}`, roff(operand.help.en));
  }
  for (const [key, option] of Object.entries(options))
    lines.push('.TP', optionTitle(key, option), roff(option.help.en));
  lines.push('.SH "EXIT STATUS"');
  for (const [meaning, code] of Object.entries(exitCodes)) lines.push('.TP', `.B ${code}`, roff(meaning));
  lines.push('.SH EXAMPLES');
  for (const { does, line } of command.examples) {
    lines.push('.PP', roff(does.en), '.PP', '.nf', `.RS`, roff(line), '.RE', '.fi');
  }
  if (command.notes !== undefined) lines.push('.SH NOTES', '.nf', ...command.notes.en.split('\n').map(roff), '.fi');
  return `${lines.join('\n')}\n`;
}

function optionTitle(key: string, option: Option<unknown>): string {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const value = option.kind === 'flag' ? '' : ` \\fI${roff(option.placeholder)}\\fR`;
  const required = option.required ? ' (required)' : '';
  return `\\fB${roff(`${short}${flagName(key)}`)}\\fR${value}${required}`;
}

function paragraphs(text: string): string[] {
  return text.split(/\n{2,}/).flatMap((paragraph) => ['.PP', ...paragraph.split('\n').map(roff)]);
}

/** Text as roff shows it: backslashes and hyphens are protected, and no line is taken for a request. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}
