import type { RotationPolicy } from '../service/model.ts';
import { rotationPolicyBody } from './bundles.ts';
import { type Handler, nameOf, ok } from './call.ts';
import { arrayOf, isJsonObject, objectOf, requireObject, textOf } from './fields.ts';
import type { JsonObject, JsonValue } from './json-value/parse.ts';
import { keysOf } from './key-calls.ts';
import { badParameter } from './refusal.ts';

/** REQ-340. What the durations may be is the vault's to say; here they only have the shape of one. */

const duration = /^P[0-9YMWDTHS]{2,30}$/;
const maximumActions = 10;

export const getRotationPolicy: Handler = async (call) => {
  const name = nameOf(call);
  return ok(rotationPolicyBody(call, name, await keysOf(call).rotationPolicy(name)), { name, version: null });
};

export const setRotationPolicy: Handler = async (call) => {
  const name = nameOf(call);
  const body = requireObject(call.body);
  const attributes = objectOf(body, 'attributes');
  const policy = await keysOf(call).setRotationPolicy(name, {
    lifetimeActions: (arrayOf(body, 'lifetimeActions', maximumActions) ?? []).map(lifetimeAction),
    expiryTime: attributes === undefined ? null : durationOf(attributes, 'expiryTime'),
  });
  return ok(rotationPolicyBody(call, name, policy), { name, version: null });
};

function lifetimeAction(item: JsonValue): RotationPolicy['lifetimeActions'][number] {
  if (!isJsonObject(item)) throw badParameter('lifetimeActions', 'an entry is not an object');
  const trigger = objectOf(item, 'trigger');
  const action = objectOf(item, 'action');
  if (trigger === undefined || action === undefined) {
    throw badParameter('lifetimeActions', 'an entry has no trigger or no action');
  }
  const timeAfterCreate = durationOf(trigger, 'timeAfterCreate');
  const timeBeforeExpiry = durationOf(trigger, 'timeBeforeExpiry');
  if ((timeAfterCreate === null) === (timeBeforeExpiry === null)) {
    throw badParameter('trigger', 'it has exactly one of timeAfterCreate and timeBeforeExpiry');
  }
  return { action: actionType(action), timeAfterCreate, timeBeforeExpiry };
}

/** Clients write it in either case. */
function actionType(action: JsonObject): 'Rotate' | 'Notify' {
  const type = textOf(action, 'type', 20)?.toLowerCase();
  if (type === 'rotate') return 'Rotate';
  if (type === 'notify') return 'Notify';
  throw badParameter('type', 'it is not Rotate or Notify');
}

function durationOf(body: JsonObject, member: string): string | null {
  const text = textOf(body, member, 40);
  if (text === undefined) return null;
  if (!duration.test(text)) throw badParameter(member, 'it is not an ISO 8601 duration');
  return text;
}
