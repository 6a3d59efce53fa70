/**
 * What may be done in a vault, named as in access policies (REQ-356): the collection, then the permission. The first
 * part of a key's permission is also how audit records and refusals name the call.
 */
export const keyActions = [
  'get',
  'list',
  'update',
  'create',
  'import',
  'delete',
  'recover',
  'backup',
  'restore',
  'decrypt',
  'encrypt',
  'unwrapKey',
  'wrapKey',
  'verify',
  'sign',
  'purge',
  'release',
  'rotate',
  'getrotationpolicy',
  'setrotationpolicy',
] as const;

export const secretActions = ['get', 'list', 'set', 'delete', 'recover', 'backup', 'restore', 'purge'] as const;

export type KeyAction = `keys/${(typeof keyActions)[number]}`;
export type SecretAction = `secrets/${(typeof secretActions)[number]}`;
/** `rng` is the one call that names no object (REQ-344); who may make a key may have random bytes. */
export type DataAction = KeyAction | SecretAction;
