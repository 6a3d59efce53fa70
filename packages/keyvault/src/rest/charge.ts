import type { KeyKind } from '../port.ts';
import type { Call } from './call.ts';
import { isVersion } from './call.ts';
import { isJsonObject } from './fields.ts';
import type { JsonObject } from './json-value/parse.ts';
import { newShape } from './key-calls.ts';
import { Refusal } from './refusal.ts';
import type { Route } from './routes.ts';
import type { Charge, ShapeName } from './throttle.ts';

/**
 * What a call weighs. For keys that depends on the kind of key, so an existing key is looked at first; where there is
 * none, or none could be made, the call weighs as little as any. Asked only where calls are throttled.
 */
export async function chargeFor(call: Call, route: Route): Promise<Charge> {
  if (call.path.collection === 'secrets') return { collection: 'secrets', isCreation: route.makes === 'secret' };
  const isCreation = route.makes === 'key';
  const kind = (await kindOf(call, route)) ?? { hardware: false, shape: 'RSA-2048' as const };
  return { collection: 'keys', isCreation, ...kind };
}

async function kindOf(call: Call, route: Route): Promise<{ hardware: boolean; shape: ShapeName } | undefined> {
  const { name, version, isDeleted } = call.path;
  if (route.operation === 'KeyCreate') return askedKind(call);
  if (name === null || isDeleted || (version !== null && !isVersion(version))) return undefined;
  try {
    const key = await call.objects.keys.get(name, version?.toLowerCase() ?? null);
    return { hardware: isHardware(key.kind), shape: shapeName(key.kind, key.bits) };
  } catch {
    return undefined; // The call itself says what is wrong.
  }
}

function askedKind(call: Call): { hardware: boolean; shape: ShapeName } | undefined {
  if (call.body === undefined || !isJsonObject(call.body)) return undefined;
  const asked = shapeAsked(call.body);
  if (asked === undefined) return undefined;
  const { shape, hardware } = asked;
  return { hardware, shape: shape.kty === 'EC' ? 'EC' : rsaName(shape.bits) };
}

function shapeAsked(body: JsonObject): ReturnType<typeof newShape> | undefined {
  try {
    return newShape(body);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function isHardware(kind: KeyKind): boolean {
  return kind === 'RSA-HSM' || kind === 'EC-HSM';
}

function shapeName(kind: KeyKind, bits: number): ShapeName {
  return kind === 'EC' || kind === 'EC-HSM' ? 'EC' : rsaName(bits);
}

function rsaName(bits: number): ShapeName {
  return bits <= 2048 ? 'RSA-2048' : bits <= 3072 ? 'RSA-3072' : 'RSA-4096';
}
