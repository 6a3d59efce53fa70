import type { EngineEvent, OnEngineEvent } from '@kannuki/guest';
import type { CommandContext } from '../../program/context.ts';

/** Shows people what the engine does: progress always, steps with --verbose. */
export function tellEvents(context: CommandContext): OnEngineEvent {
  return (event: EngineEvent) => {
    switch (event.kind) {
      case 'progress':
        context.progress.update(event.progress);
        break;
      case 'step':
        context.detail({ en: `${event.volume}: ${event.step}`, ja: `${event.volume}: ${event.step}` });
        break;
      case 'finding': {
        const { subject, message, remedy } = event.finding;
        context.say({
          en: `${subject}: ${message.en}; ${remedy.en}`,
          ja: `${subject}: ${message.ja}。${remedy.ja}`,
        });
        break;
      }
      case 'note':
        context.say({ en: `${event.volume}: ${event.text.en}`, ja: `${event.volume}: ${event.text.ja}` });
        break;
      case 'no-mirror':
        context.say({
          en: `${event.volume}: /boot is not on a device of its own, so the header has no second place while the conversion runs.`,
          ja: `${event.volume}: /boot が別のデバイス上にないため、変換中はヘッダーの控えを別の場所に置けません。`,
        });
        break;
      case 'mounted':
        break;
    }
  };
}
