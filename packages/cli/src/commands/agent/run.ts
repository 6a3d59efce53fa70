import { KannukiError } from '@kannuki/core';
import {
  AgentClient,
  type AgentEvent,
  AgentStore,
  currentBootId,
  ensureMember,
  runAgent,
  VolumeEngine,
} from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';

export const command = defineCommand({
  description: {
    en: "The service inside the VM: joins the server with the host's one-time token where it has not joined, takes goals, works on them and reports. An encryption that has begun goes on when it starts again.",
    ja: 'VM の中で動作するサービスです。未参加ならホストから渡されたワンタイム トークンでサーバーに参加し、目標を受け取って処理し、状態を報告します。開始済みの暗号化は、再起動後に続行します。',
  },
  options: {},
  examples: [
    { line: 'kannuki agent run', does: { en: 'as the unit kannuki-agent does', ja: 'kannuki-agent ユニットと同じ' } },
  ],
  async run(_input, context) {
    try {
      await serve(context);
    } catch (error) {
      // The end that was asked for, in the middle of whatever went on.
      if (!context.signal.aborted) throw error;
    }
    return {};
  },
});

async function serve(context: CommandContext): Promise<void> {
  const { signal } = context;
  const store = new AgentStore();
  await ensureMember({
    store,
    signal,
    onWaiting: (error) => say(context, failureText('waiting for the server', error)),
  });
  const client = await AgentClient.open(store);
  try {
    const engine = new VolumeEngine({
      // The agent comes back to a paused volume later; until then others have their turn.
      whenPaused: 'leave',
      onEvent: (event) => {
        if (event.kind === 'note') say(context, `${event.volume}: ${event.text.en}`);
        if (event.kind === 'step') say(context, `${event.volume}: ${event.step}`);
        if (event.kind === 'finding') say(context, `${event.finding.subject}: ${event.finding.message.en}`);
      },
    });
    const bootId = await currentBootId();
    const onEvent = (event: AgentEvent): void => say(context, eventText(event));
    await runAgent({ engine, client, store, bootId, signal, onEvent });
  } finally {
    client.close();
  }
}

function eventText(event: AgentEvent): string {
  switch (event.kind) {
    case 'goal':
      return `goal ${event.generation}: ${event.targets.join(' ') || 'nothing'}`;
    case 'volume-done':
      return `${event.target}: encrypted`;
    case 'problem':
      return failureText(event.target, event.error);
    case 'server-lost':
      return failureText('the server is away', event.error);
    case 'server-back':
      return 'the server is back';
    case 'certificate-renewed':
      return 'the certificate was renewed';
  }
}

/** Errors that are not ours are named by class and code only: their texts may hold anything. */
function failureText(what: string, error: unknown): string {
  if (error instanceof KannukiError) return `${what}: ${error.message}`;
  if (!(error instanceof Error)) return what;
  const { code } = error as NodeJS.ErrnoException;
  return `${what}: ${error.name} ${code ?? ''}`;
}

/** One line for the journal of the VM; logs are not translated. */
function say(context: CommandContext, line: string): void {
  context.say({ en: line, ja: line });
}
