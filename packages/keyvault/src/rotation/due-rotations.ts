import { parseDuration, shifted } from './duration.ts';
import { defaultNotify, type PolicyRules } from './policy.ts';

/** REQ-341. */
export type KeyEventKind = 'KeyNearExpiry' | 'KeyExpired' | 'KeyNewVersionCreated';

/** Told of a version of a key; for whoever listens, never an order. */
export interface KeyEvent {
  readonly kind: KeyEventKind;
  readonly vault: string;
  readonly name: string;
  readonly version: string;
  /** When it became due, milliseconds since 1970. */
  readonly time: number;
}

/**
 * Puts an event where it lasts. What it rejects with ends the work on that key until the next run. An event that comes with
 * a rotation is told when the new version is on disk, and is lost where a crash comes in between; any other one is told
 * first and then noted as told, so that a crash in between tells it twice.
 */
export type TellKeyEvent = (event: KeyEvent) => Promise<void>;

/** The newest version of a key. Milliseconds since 1970. */
export interface Lifetime {
  readonly created: number;
  readonly expires: number | null;
}

export interface DueMoment {
  readonly what: 'rotate' | 'KeyNearExpiry' | 'KeyExpired';
  readonly time: number;
}

/** Everything that will ever be due for this version, in the order of time. */
function moments(policy: PolicyRules | undefined, { created, expires }: Lifetime): readonly DueMoment[] {
  const actions = policy?.lifetimeActions ?? [];
  const notify = actions.find(({ action }) => action === 'Notify') ?? defaultNotify;
  const rotate = actions.find(({ action }) => action === 'Rotate');
  const found: DueMoment[] = [];
  const add = (what: DueMoment['what'], from: number | null, text: string | null, sign: 1 | -1): void => {
    const duration = text === null ? undefined : parseDuration(text);
    if (from !== null && duration !== undefined) found.push({ what, time: shifted(from, duration, sign) });
  };
  add('rotate', created, rotate?.timeAfterCreate ?? null, 1);
  add('rotate', expires, rotate?.timeBeforeExpiry ?? null, -1);
  add('KeyNearExpiry', expires, notify.timeBeforeExpiry, -1);
  if (expires !== null) found.push({ what: 'KeyExpired', time: expires });
  return found.sort((left, right) => left.time - right.time);
}

/**
 * What became due since `from` and is due at `now`, and when to look again.
 * @param from the moment that was noted when somebody last looked
 */
export function dueRotations(
  policy: PolicyRules | undefined,
  lifetime: Lifetime,
  from: number,
  now: number,
): { readonly due: readonly DueMoment[]; readonly next: number | null } {
  const all = moments(policy, lifetime);
  return {
    due: all.filter(({ time }) => time >= from && time <= now),
    next: all.find(({ time }) => time > now)?.time ?? null,
  };
}

/**
 * When to look first, for a version or a policy that is new. What should have been done before is due at once, except to
 * tell of the expiry of what has expired already.
 */
export function firstDue(policy: PolicyRules | undefined, lifetime: Lifetime, now: number): number | null {
  const isOver = lifetime.expires !== null && lifetime.expires <= now;
  const open = moments(policy, lifetime).filter(({ what }) => what === 'rotate' || !isOver);
  return open[0]?.time ?? null;
}
