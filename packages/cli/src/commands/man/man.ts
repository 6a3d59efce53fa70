import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { KannukiError, writeFileDurably } from '@kannuki/core';
import packageFile from '../../../package.json' with { type: 'json' };
import { describeCommands } from '../../documentation/described.ts';
import { manPage } from '../../documentation/man-page.ts';
import { defineCommand } from '../../program/command.ts';
import { text } from '../../program/options.ts';

export const command = defineCommand({
  operands: [
    { name: 'word', help: { en: 'words of the command', ja: 'コマンドの語' }, required: false, variadic: true },
  ],
  options: {
    directory: text('DIR', {
      en: 'write the pages of all commands into this folder, for packages',
      ja: 'すべてのコマンドのページをこのフォルダーに書き出す (パッケージ用)',
    }),
  },
  examples: [
    { line: 'kannuki man support check | man -l -', does: { en: 'read a page', ja: 'ページを読む' } },
    { line: 'kannuki man --directory man1', does: { en: 'write all pages', ja: 'すべてのページを書き出す' } },
  ],
  async run({ options: { directory }, operands }, context) {
    const commands = await describeCommands();
    if (directory === undefined) {
      const path = operands.join(' ');
      const found = commands.find(({ entry }) => entry.path === path);
      if (found === undefined) {
        throw new KannukiError('KNK-CLI-0002', { details: { word: path || '(none)', hint: '', command: 'kannuki' } });
      }
      context.writeLine(manPage(found, packageFile.version).trimEnd());
      return {};
    }
    await mkdir(directory, { recursive: true });
    for (const described of commands) {
      const name = `kannuki-${described.entry.path.replaceAll(' ', '-')}.1`;
      await writeFileDurably(join(directory, name), manPage(described, packageFile.version));
    }
    return {};
  },
});
