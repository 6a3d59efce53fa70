import { KannukiError } from '@kannuki/core';
import { connectAzure } from '../../../azure-client/connect.ts';
import { pathOf } from '../../../azure-client/connection.ts';
import { readBytes } from '../../../azure-client/private-files.ts';
import { defineCommand } from '../../../program/command.ts';
import { text } from '../../../program/options.ts';
import { objectName, objectOptions } from '../objects/object-options.ts';
import { policyShape, type Wire } from '../objects/shapes.ts';

const policyLimitBytes = 64 * 1024;

export const showCommand = defineCommand({
  options: objectOptions,
  examples: [
    {
      line: 'kannuki keyvault key rotation-policy show --vault-name kv1 -n kek1',
      does: { en: 'when it is rotated', ja: 'ローテーションの時期を表示する' },
    },
  ],
  async run({ options }, context) {
    const { vault, name } = objectName(options, 'keys');
    using azure = await connectAzure(options.data, context.environment);
    const path = pathOf('keys', name, 'rotationpolicy');
    const what = `rotation policy of the key ${name} of ${vault}`;
    return { data: policyShape((await azure.call({ plane: { vault }, method: 'GET', path, what })).data) };
  },
});

export const updateCommand = defineCommand({
  options: {
    ...objectOptions,
    value: text(
      'JSON|FILE',
      {
        en: 'the policy as JSON, or a file with it: {"lifetimeActions":[{"trigger":{"timeAfterCreate":"P90D"},"action":{"type":"Rotate"}}],"attributes":{"expiryTime":"P1Y"}}',
        ja: 'ポリシーの JSON、またはそのファイル',
      },
      { required: true },
    ),
  },
  examples: [
    {
      line: 'kannuki keyvault key rotation-policy update --vault-name kv1 -n kek1 --value policy.json',
      does: { en: 'rotate as policy.json says', ja: 'policy.json に従ってローテーションする' },
    },
  ],
  async run({ options }, context) {
    const { vault, name } = objectName(options, 'keys');
    const policy = await policyOf(options.value);
    using azure = await connectAzure(options.data, context.environment);
    const path = pathOf('keys', name, 'rotationpolicy');
    const what = `rotation policy of the key ${name} of ${vault}`;
    const { data } = await azure.call({ plane: { vault }, method: 'PUT', path, body: wirePolicy(policy), what });
    return { data: policyShape(data) };
  },
});

async function policyOf(value: string): Promise<Wire> {
  let json = value;
  if (!value.trimStart().startsWith('{')) {
    using bytes = await readBytes(value.replace(/^@/, ''), policyLimitBytes);
    json = Buffer.from(bytes.bytes).toString('utf8');
  }
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Wire;
  } catch {
    // Said below, for whatever is wrong with it.
  }
  const details = {
    word: '--value',
    value: value.slice(0, 60),
    expected: 'a JSON object',
    command: 'kannuki keyvault key rotation-policy update',
  };
  throw new KannukiError('KNK-CLI-0004', { details });
}

/** What `show` prints (camelCase, flat) is taken as well as what Azure's interface describes. */
function wirePolicy(policy: Wire): object {
  const { lifetimeActions, attributes, expiresIn } = policy;
  const actions = Array.isArray(lifetimeActions) ? (lifetimeActions as Wire[]) : [];
  const expiryTime =
    expiresIn ?? (attributes as Wire | undefined)?.expiryTime ?? (attributes as Wire | undefined)?.expiry_time;
  return {
    lifetimeActions: actions.map(({ action, trigger, timeAfterCreate, timeBeforeExpiry }) => ({
      action: typeof action === 'string' ? { type: action } : action,
      trigger: trigger ?? withoutNull({ timeAfterCreate, timeBeforeExpiry }),
    })),
    attributes: withoutNull({ expiryTime }),
  };
}

function withoutNull(members: Wire): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null));
}
