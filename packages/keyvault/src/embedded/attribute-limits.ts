import { KannukiError } from '@kannuki/core';
import { secretLimits } from '../limits.ts';
import type { SecretAttributes } from '../port.ts';

/** Refuses tags and content types that Azure's vaults would refuse. @throws KannukiError KNK-KVT-0007 */
export function assertSecretAttributes(name: string, { contentType, tags }: SecretAttributes): void {
  const cannot = (reason: string): KannukiError =>
    new KannukiError('KNK-KVT-0007', { details: { object: `secret ${name}`, reason } });
  if (contentType !== null && contentType.length > secretLimits.contentType)
    throw cannot('its content type is too long');
  const entries = Object.entries(tags);
  if (entries.length > secretLimits.tags) throw cannot(`it has ${entries.length} tags`);
  for (const [tag, value] of entries) {
    if (tag.length === 0 || tag.length > secretLimits.tagName) throw cannot('the name of a tag is empty or too long');
    if (value.length > secretLimits.tagValue) throw cannot(`the value of its tag ${tag.slice(0, 80)} is too long`);
  }
}
