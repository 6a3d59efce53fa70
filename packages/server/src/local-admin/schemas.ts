import { longestAuditPage } from '@kannuki/keyvault';
import Type, { type Static, type TSchema } from 'typebox';
import type { AdminOperation, AdminOperations } from './contract.ts';

const Name = Type.String({ minLength: 1, maxLength: 500 });
const NameOrNull = Type.Union([Name, Type.Null()]);
const TimeOrNull = Type.Union([Type.Integer({ minimum: 0, maximum: 8.64e15 }), Type.Null()]);
const strict = { additionalProperties: false } as const;

const Nothing = Type.Object({}, strict);
const vmName = { resourceGroup: Name, name: Name };
const VmInput = Type.Object(vmName, strict);

/** What each operation takes; anything else is refused. */
export const adminInputSchemas = {
  'server-backup': Type.Object({ directory: Type.String({ minLength: 1, maxLength: 4096 }) }, strict),
  'server-seal': Nothing,
  'server-seal-status': Nothing,
  'keyvault-create': Type.Object(
    {
      name: Name,
      resourceGroup: Name,
      location: NameOrNull,
      sku: Type.Union([Type.Literal('standard'), Type.Literal('premium')]),
      enabledForDiskEncryption: Type.Boolean(),
    },
    strict,
  ),
  'keyvault-list': Nothing,
  'keyvault-show': Type.Object({ name: Name }, strict),
  'keyvault-key-create': Type.Object(
    {
      vaultName: Name,
      name: Name,
      kind: Type.Union([Type.Literal('RSA'), Type.Literal('RSA-HSM')]),
      bits: Type.Integer({ minimum: 1, maximum: 65_536 }),
    },
    strict,
  ),
  'keyvault-key-list': Type.Object({ vaultName: Name }, strict),
  'keyvault-key-show': Type.Object({ vaultName: Name, name: Name }, strict),
  'ad-sp-create': Type.Object({ displayName: Name }, strict),
  'ad-sp-list': Nothing,
  'ad-sp-delete': Type.Object({ id: Name }, strict),
  'ad-sp-reset': Type.Object({ id: Name }, strict),
  'ad-sp-add-certificate': Type.Object(
    { id: Name, certificate: Type.String({ minLength: 1, maxLength: 16_384 }) },
    strict,
  ),
  'image-build': Type.Object({ name: Name, force: Type.Boolean() }, strict),
  'image-list': Nothing,
  'vm-create': Type.Object(
    {
      ...vmName,
      image: Name,
      size: Name,
      location: NameOrNull,
      zone: NameOrNull,
      dataDiskSizesGb: Type.Array(Type.Number({ minimum: 0, maximum: 1_000_000 }), { maxItems: 64 }),
    },
    strict,
  ),
  'vm-list': Type.Object({ resourceGroup: NameOrNull }, strict),
  'vm-show': VmInput,
  'vm-start': VmInput,
  'vm-stop': VmInput,
  'vm-restart': VmInput,
  'vm-delete': VmInput,
  'vm-ssh': VmInput,
  'vm-console': VmInput,
  'vm-encryption-enable': Type.Object(
    {
      ...vmName,
      vaultName: Name,
      kek: NameOrNull,
      kekVaultName: NameOrNull,
      volumeType: Type.Union([Type.Literal('OS'), Type.Literal('DATA'), Type.Literal('ALL'), Type.Null()]),
      force: Type.Boolean(),
      stopServices: Type.Boolean(),
    },
    strict,
  ),
  'vm-encryption-show': VmInput,
  'vm-encryption-progress': VmInput,
  'audit-list': Type.Object(
    {
      vault: NameOrNull,
      operation: NameOrNull,
      objectId: NameOrNull,
      from: TimeOrNull,
      to: TimeOrNull,
      limit: Type.Integer({ minimum: 1, maximum: longestAuditPage }),
    },
    strict,
  ),
  'audit-verify': Nothing,
} satisfies { readonly [Operation in AdminOperation]: TSchema };

/** A compile error here means that a schema and the contract have parted. */
export const adminSchemasFollowTheContract: {
  readonly [Operation in AdminOperation]: Static<
    (typeof adminInputSchemas)[Operation]
  > extends AdminOperations[Operation]['input']
    ? true
    : never;
} = Object.fromEntries(Object.keys(adminInputSchemas).map((name) => [name, true])) as never;
