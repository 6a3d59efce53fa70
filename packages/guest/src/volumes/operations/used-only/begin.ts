import { type Finding, KannukiError } from '@kannuki/core';
import { found } from '../../../checks/finding.ts';
import type { Journal } from '../../journal.ts';
import { useOf } from '../../uses/uses.ts';
import { inPlace } from '../encrypt/begin.ts';
import type { Encryption, PlanRequest } from '../operation.ts';
import { type Estimates, pays } from './estimate.ts';
import type { UsedOnlyRecord } from './record.ts';
import { survey } from './survey.ts';

/** What is told before anything is done. */
export interface SpaceChoice {
  /** What people call the volume. */
  readonly point: string;
  readonly chosen: 'used' | 'whole';
  /** null when only the whole disk is possible; `finding` then says why. */
  readonly estimates: Estimates | null;
  readonly finding: Finding | null;
}

export interface SpaceOptions {
  /** `automatic`: the used space only where that pays and its downtime stays below the maximum. */
  readonly space: 'automatic' | 'used' | 'whole';
  /** null: 10 s for the automatic choice, no limit for `used`. */
  readonly maximumDowntimeSeconds: number | null;
  /** What becomes of the disk behind the used space: `zeros` unless the owner asked for speed and was told. */
  readonly rest: UsedOnlyRecord['rest'];
  readonly onChoice: (choice: SpaceChoice) => void;
}

const automaticMaximumSeconds = 10;

/**
 * Encryption in place of the whole disk or of the used space only.
 * @example await engine.encrypt('/data0', request, inPlaceBySpace({ space: 'automatic', … }));
 */
export function inPlaceBySpace(options: SpaceOptions): Encryption {
  return {
    operation: options.space === 'used' ? 'used-only' : 'encrypt',
    // What was begun goes on in its own way: both lead to the same end.
    alsoGoesOnWith: ['encrypt', 'used-only'],
    plan: (request) => planBySpace(request, options),
  };
}

async function planBySpace(request: PlanRequest, options: SpaceOptions): Promise<Journal> {
  const journal = await inPlace.plan(request);
  if (options.space === 'whole') return journal;
  const { estimates, finding } = await survey(journal, request.run);
  const point = useOf(journal).name;
  if (options.space === 'used') {
    const refusal = finding ?? tooLong(point, estimates, options.maximumDowntimeSeconds);
    if (refusal !== null) {
      throw new KannukiError('KNK-VOL-0006', { details: { target: request.target }, findings: [refusal] });
    }
  }
  const maximum = options.maximumDowntimeSeconds ?? automaticMaximumSeconds;
  const isUsed = estimates !== null && (options.space === 'used' || pays(estimates, maximum));
  options.onChoice({ point, chosen: isUsed ? 'used' : 'whole', estimates, finding });
  if (!isUsed) return journal;
  const usedOnly = { frontBytes: estimates.usedOnly.frontBytes, rest: options.rest, resizing: false, estimates };
  return { ...journal, operation: 'used-only', madeBy: 'used-only', usedOnly };
}

function tooLong(point: string, estimates: Estimates | null, maximum: number | null): Finding | null {
  const seconds = Math.ceil(estimates?.usedOnly.downtimeSeconds ?? 0);
  if (maximum === null || seconds <= maximum) return null;
  return found(
    'refuse',
    'REQ-091',
    point,
    {
      en: `checking and shrinking the file system would take about ${seconds} s, more than the ${maximum} s of --max-downtime`,
      ja: `ファイル システムの検査と縮小に約 ${seconds} 秒かかり、--max-downtime の ${maximum} 秒を超えます`,
    },
    {
      en: 'allow more with --max-downtime, or give --whole-disk: its downtime is about one second',
      ja: '--max-downtime を増やすか、--whole-disk を指定してください (停止時間は約 1 秒です)',
    },
  );
}
