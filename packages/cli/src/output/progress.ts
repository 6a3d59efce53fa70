import type { Language } from '@kannuki/core';
import type { OutputStream } from '../program/context.ts';
import { printable } from './printable.ts';

/** How far the work on one volume is. */
export interface ProgressUpdate {
  readonly volume: string;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** null while it is not known yet. */
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
}

export interface ProgressReporter {
  /** May be called as often as is convenient: what is shown is held to a rate that people can read. */
  update(progress: ProgressUpdate): void;
  /** Ends the line of a bar; call it when the work is over, failed or not. */
  end(): void;
}

export type ProgressStyle = 'bar' | 'lines' | 'json' | 'none';

interface ProgressOptions {
  readonly style: ProgressStyle;
  readonly language: Language;
  /** Where bar and lines go; JSON events are data and go to `events`. */
  readonly people: OutputStream;
  readonly events: OutputStream;
  /** Milliseconds, monotonic. */
  readonly now: () => number;
}

/** Least time between two reports, ms. Start and finish of a volume are always shown. */
const pace: Readonly<Record<ProgressStyle, number>> = { bar: 100, lines: 10_000, json: 1_000, none: Infinity };

export function createProgress(options: ProgressOptions): ProgressReporter {
  const lastShown = new Map<string, { readonly time: number; readonly finished: boolean }>();
  const latest = new Map<string, ProgressUpdate>();
  let barIsOpen = false;

  const isDue = (update: ProgressUpdate): boolean => {
    const finished = update.bytesDone >= update.bytesTotal;
    const last = lastShown.get(update.volume);
    const time = options.now();
    if (last !== undefined && last.finished === finished && (finished || time - last.time < pace[options.style])) {
      return false;
    }
    lastShown.set(update.volume, { time, finished });
    return true;
  };

  const show = (update: ProgressUpdate, isTotal: boolean): void => {
    if (!isDue(update)) return;
    if (options.style === 'json') {
      options.events.write(`${JSON.stringify(isTotal ? totalEvent(update, latest.size) : progressEvent(update))}\n`);
    } else if (options.style === 'lines') {
      options.people.write(`${progressLine(update, options.language)}\n`);
    } else {
      options.people.write(`\r${progressBar(update, options.people.columns ?? 80)}\x1b[K`);
      barIsOpen = true;
    }
  };

  return {
    update(update) {
      if (options.style === 'none') return;
      latest.set(update.volume, update);
      // There is room for one bar: of several volumes it shows the sum.
      if (latest.size === 1 || options.style !== 'bar') show(update, false);
      if (latest.size > 1) show(totalOf([...latest.values()], options.language), true);
    },
    end() {
      if (barIsOpen) options.people.write('\n');
      barIsOpen = false;
    },
  };
}

/** The event of `--progress json`: users' scripts read exactly these keys. */
function progressEvent(update: ProgressUpdate): object {
  const { volume, bytesDone, bytesTotal, bytesPerSecond, etaSeconds } = update;
  return { event: 'progress', volume, bytesDone, bytesTotal, bytesPerSecond, etaSeconds };
}

/** The sum over all volumes of a command, beside the events of each. */
function totalEvent(update: ProgressUpdate, volumes: number): object {
  const { bytesDone, bytesTotal, bytesPerSecond, etaSeconds } = update;
  return { event: 'total', volumes, bytesDone, bytesTotal, bytesPerSecond, etaSeconds };
}

/** Volumes that are done have no speed any more; the one that takes longest says when all is done. */
export function totalOf(updates: readonly ProgressUpdate[], language: Language): ProgressUpdate {
  const running = updates.filter(({ bytesDone, bytesTotal }) => bytesDone < bytesTotal);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  const speeds = running.flatMap(({ bytesPerSecond }) => bytesPerSecond ?? []);
  const times = running.flatMap(({ etaSeconds }) => etaSeconds ?? []);
  return {
    volume: language === 'ja' ? `${updates.length} ボリューム合計` : `${updates.length} volumes`,
    bytesDone: sum(updates.map(({ bytesDone }) => bytesDone)),
    bytesTotal: sum(updates.map(({ bytesTotal }) => bytesTotal)),
    bytesPerSecond: speeds.length === 0 ? null : sum(speeds),
    etaSeconds: times.length < running.length ? null : Math.max(0, ...times),
  };
}

export function progressLine(update: ProgressUpdate, language: Language): string {
  const volume = printable(update.volume);
  const amounts = `${percentOf(update)}% (${bytesText(update.bytesDone)} / ${bytesText(update.bytesTotal)})`;
  const speed = update.bytesPerSecond === null ? '' : `, ${bytesText(update.bytesPerSecond)}/s`;
  if (update.etaSeconds === null) return `${volume}: ${amounts}${speed}`;
  const left = durationText(update.etaSeconds);
  return `${volume}: ${amounts}${speed}, ${language === 'ja' ? `残り ${left}` : `${left} left`}`;
}

function progressBar(update: ProgressUpdate, columns: number): string {
  const volume = printable(update.volume);
  const speed = update.bytesPerSecond === null ? '' : ` ${bytesText(update.bytesPerSecond)}/s`;
  const left = update.etaSeconds === null ? '' : ` ${durationText(update.etaSeconds)}`;
  const tail = ` ${percentOf(update).padStart(5)}%${speed}${left}`;
  const width = Math.max(10, Math.min(40, columns - volume.length - tail.length - 4));
  const filled = Math.round(width * shareOf(update));
  return `${volume} [${'#'.repeat(filled)}${'.'.repeat(width - filled)}]${tail}`;
}

function shareOf(update: ProgressUpdate): number {
  return update.bytesTotal <= 0 ? 1 : Math.min(1, Math.max(0, update.bytesDone / update.bytesTotal));
}

/** Rounded down: 100 % is said only when all is done. */
function percentOf(update: ProgressUpdate): string {
  return (Math.floor(shareOf(update) * 1000) / 10).toFixed(1);
}

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1610612736` → `1.5 GiB`. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** `3725` → `1:02:05`. */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const minutes = Math.floor(whole / 60) % 60;
  const tail = `${String(minutes).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`;
  const hours = Math.floor(whole / 3600);
  return hours > 0 ? `${hours}:${tail}` : tail;
}
