import type { Text } from '@kannuki/core';
import type { SpaceChoice } from '@kannuki/guest';

/** Both ways with what they would take, and which was chosen: told before anything is done. */
export function spaceSentence({ point, chosen, estimates, finding }: SpaceChoice): Text {
  if (estimates === null) {
    return {
      en: `${point}: the whole disk. ${finding === null ? '' : `${finding.message.en}.`}`,
      ja: `${point}: ディスク全体を変換します。${finding === null ? '' : `${finding.message.ja}。`}`,
    };
  }
  const { wholeDisk, usedOnly } = estimates;
  const [whole, used] = [wholeDisk, usedOnly].map(({ bytes, seconds, downtimeSeconds }) => ({
    en: `${gibibytes(bytes)} GiB in about ${up(seconds)} s, away for about ${up(downtimeSeconds)} s`,
    ja: `${gibibytes(bytes)} GiB、約 ${up(seconds)} 秒、停止 約 ${up(downtimeSeconds)} 秒`,
  }));
  return {
    en: `${point}: the whole disk: ${whole?.en}; the used space only: ${used?.en}. Chosen: ${chosen === 'used' ? 'the used space only' : 'the whole disk'}.`,
    ja: `${point}: ディスク全体: ${whole?.ja}。使用領域だけ: ${used?.ja}。選択: ${chosen === 'used' ? '使用領域だけ' : 'ディスク全体'}。`,
  };
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1);
}

function up(seconds: number): number {
  return Math.ceil(seconds);
}
