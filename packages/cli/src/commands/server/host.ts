import type { HostPort } from '@kannuki/host';
import type { OnFailure } from '@kannuki/server';
import { printable } from '../../output/printable.ts';
import type { CommandContext } from '../../program/context.ts';

/** How the server opens the host of this machine. */
export function hostOpener(_config: Readonly<Record<string, unknown>>): (directory: string) => Promise<HostPort> {
  return async (directory) => {
    const { Host } = await import('@kannuki/host');
    return new Host({ dataDirectory: directory });
  };
}

/** What went wrong inside, for the server's operator: with a trace that the answer to the client names too. */
export function sayFailure(failure: Parameters<OnFailure>[0], context: CommandContext): void {
  const { trace, what, error } = failure;
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const line = `${new Date().toISOString()} trace ${trace}: ${printable(what)}: ${text}`;
  context.say({ en: line, ja: line });
}
