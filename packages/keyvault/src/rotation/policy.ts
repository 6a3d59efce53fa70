import { KannukiError } from '@kannuki/core';
import type { RotationPolicy } from '../service/model.ts';
import { type CalendarDuration, dayMilliseconds, parseDuration, shifted } from './duration.ts';

export type PolicyRules = Pick<RotationPolicy, 'lifetimeActions' | 'expiryTime'>;
type LifetimeAction = RotationPolicy['lifetimeActions'][number];

/** What Azure does where nothing was set: tell of the expiry 30 days before it. */
export const defaultNotify: LifetimeAction = { action: 'Notify', timeAfterCreate: null, timeBeforeExpiry: 'P30D' };

const shortestLife = 28 * dayMilliseconds;
const shortestInterval = 7 * dayMilliseconds;

/**
 * REQ-340: a key lives at least 28 days; it is rotated 7 days after it was made at the earliest, and 7 days before its
 * expiry at the latest. One action of each kind, with one of the two triggers.
 * @param now milliseconds since 1970: months are as long as they will be from here
 * @throws KannukiError KNK-KVT-0022
 */
export function assertPolicy({ lifetimeActions, expiryTime }: PolicyRules, now: number): void {
  const life = expiryTime === null ? undefined : required(expiryTime, 'expiryTime');
  const expiry = life === undefined ? undefined : shifted(now, life, 1);
  if (expiry !== undefined && expiry - now < shortestLife) throw wrong('expiryTime is shorter than 28 days');
  for (const kind of ['Rotate', 'Notify'] as const) {
    if (lifetimeActions.filter(({ action }) => action === kind).length > 1) throw wrong(`${kind} is given twice`);
  }
  for (const action of lifetimeActions) assertAction(action, now, expiry);
}

function assertAction(
  { action, timeAfterCreate, timeBeforeExpiry }: LifetimeAction,
  now: number,
  expiry: number | undefined,
): void {
  if ((timeAfterCreate === null) === (timeBeforeExpiry === null)) throw wrong(`${action} takes one trigger`);
  if (action === 'Notify' && timeAfterCreate !== null) throw wrong('Notify goes by timeBeforeExpiry');
  const before = timeBeforeExpiry === null ? undefined : required(timeBeforeExpiry, 'timeBeforeExpiry');
  const after = timeAfterCreate === null ? undefined : required(timeAfterCreate, 'timeAfterCreate');
  if (before !== undefined && expiry === undefined && action === 'Rotate') {
    throw wrong('timeBeforeExpiry needs an expiryTime');
  }
  const moment = after === undefined ? before && expiry && shifted(expiry, before, -1) : shifted(now, after, 1);
  if (moment === undefined) return;
  if (moment < now) throw wrong(`${action} would come before the key is made`);
  if (action === 'Notify') return;
  if (moment - now < shortestInterval) throw wrong('a key is rotated 7 days after it was made at the earliest');
  if (expiry !== undefined && expiry - moment < shortestInterval) {
    throw wrong('a key is rotated 7 days before it expires at the latest');
  }
}

/** When a version made now will expire, in seconds since 1970; null for never. @param now milliseconds */
export function expiryOf({ expiryTime }: PolicyRules, now: number): number | null {
  const life = expiryTime === null ? undefined : parseDuration(expiryTime);
  return life === undefined ? null : Math.floor(shifted(now, life, 1) / 1000);
}

function required(text: string, name: string): CalendarDuration {
  const duration = parseDuration(text);
  if (duration === undefined) throw wrong(`${name} is not an ISO 8601 duration such as P90D`);
  return duration;
}

function wrong(reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0022', { details: { what: 'the rotation policy', reason } });
}
