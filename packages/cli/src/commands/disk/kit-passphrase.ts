import { closeSync, openSync, writeSync } from 'node:fs';
import { KannukiError, type Language, type SecretBytes } from '@kannuki/core';
import { generateKitPassphrase } from '@kannuki/guest';
import { readSecret } from '../../program/read-secret.ts';

/** The passphrase of a recovery kit, and how it is told to the person in the end. */
export interface KitPassphrase extends Disposable {
  readonly value: SecretBytes;
  /** Once the kit is made. */
  reveal(): void;
}

/**
 * Given in a file, on standard input (`-`; typed twice on a terminal), or made here and shown once on the terminal. The
 * terminal itself and not standard error: that may go into a log.
 * @throws KannukiError KNK-CLI-0005 where there is no terminal to show one on, or what reading throws
 */
export async function kitPassphrase(file: string | undefined, language: Language): Promise<KitPassphrase> {
  if (file === undefined) return generated(language);
  const what = { en: 'passphrase of the recovery kit', ja: 'リカバリー キットのパスフレーズ' };
  const value = await readSecret({ what, language, file: file === '-' ? undefined : file, twice: true });
  return { value, reveal: () => {}, [Symbol.dispose]: () => value[Symbol.dispose]() };
}

function generated(language: Language): KitPassphrase {
  const terminal = openTerminal();
  const value = generateKitPassphrase();
  const intro =
    language === 'ja'
      ? 'キットのパスフレーズ (表示は一度だけです。書き留めてください):'
      : 'Passphrase of the kit (shown only this once; write it down):';
  return {
    value,
    reveal: () => {
      writeSync(terminal, `\n${intro}\n\n    `);
      writeSync(terminal, value.bytes);
      writeSync(terminal, '\n\n');
    },
    [Symbol.dispose]: () => {
      value[Symbol.dispose]();
      closeSync(terminal);
    },
  };
}

function openTerminal(): number {
  try {
    return openSync('/dev/tty', 'w');
  } catch (cause) {
    const problem = 'there is no terminal to show a passphrase on: give one with --passphrase-file';
    throw new KannukiError('KNK-CLI-0005', { details: { command: 'kannuki disk recover', problem }, cause });
  }
}
