import type { AgentStatus, Goal, JoinReply, JoinRequest, RenewRequest } from '@kannuki/core';
import Type, { type Static, type TSchema } from 'typebox';

/** The wire of packages/core/src/wire/agent.ts with the bounds that the server holds agents to. */

const Text = (maxLength: number) => Type.String({ maxLength });
const Bytes = Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
const strict = { additionalProperties: false } as const;

export const JoinRequestSchema = Type.Object({ token: Text(200), certificateSigningRequest: Text(4096) }, strict);
export const RenewRequestSchema = Type.Object({ certificateSigningRequest: Text(4096) }, strict);
export const JoinReplySchema = Type.Object({ vmId: Text(64), certificate: Text(8192), authority: Text(8192) });
export const AuthorityReplySchema = Type.Object({ authority: Text(8192) });

const VolumeGoalSchema = Type.Object({
  target: Text(4096),
  wanted: Type.Literal('Encrypted'),
  vaultName: Text(24),
  vaultUri: Text(500),
  kekId: Nullable(Text(500)),
  stopServices: Type.Boolean(),
});

export const GoalSchema = Type.Object({
  generation: Type.Integer({ minimum: 0 }),
  volumes: Type.Array(VolumeGoalSchema),
  keyVolume: Nullable(Type.Object({ fileSystemUuid: Text(16) })),
});

const VolumeStatusSchema = Type.Object(
  {
    name: Text(255),
    device: Text(255),
    serial: Type.Optional(Nullable(Text(255))),
    fileSystem: Nullable(Text(64)),
    mountPoint: Nullable(Text(4096)),
    sizeBytes: Bytes,
    usedBytes: Nullable(Bytes),
    kind: Type.Union([Type.Literal('os'), Type.Literal('data'), Type.Literal('other')]),
    state: Type.Union([
      Type.Literal('NotEncrypted'),
      Type.Literal('EncryptionInProgress'),
      Type.Literal('Encrypted'),
      Type.Literal('DecryptionInProgress'),
      Type.Literal('NotMounted'),
      Type.Literal('Locked'),
    ]),
    percent: Type.Number({ minimum: 0, maximum: 100 }),
    bytesDone: Bytes,
    bytesTotal: Bytes,
    bytesPerSecond: Nullable(Bytes),
    etaSeconds: Nullable(Bytes),
    paused: Type.Optional(Type.Boolean()),
    keySource: Type.Union([
      Type.Literal('none'),
      Type.Literal('key-volume'),
      Type.Literal('vault'),
      Type.Literal('random'),
    ]),
    secretId: Nullable(Text(500)),
    kekId: Nullable(Text(500)),
    operation: Type.Optional(
      Nullable(Type.Object({ name: Text(64), percent: Nullable(Type.Number({ minimum: 0, maximum: 100 })) }, strict)),
    ),
  },
  strict,
);

const FindingSchema = Type.Object(
  { rule: Text(32), severity: Text(16), subject: Text(4096), message: Text(2000), remedy: Text(2000) },
  strict,
);

const ProblemSchema = Type.Object(
  {
    target: Text(4096),
    code: Text(32),
    message: Text(2000),
    remedy: Text(2000),
    findings: Type.Array(FindingSchema, { maxItems: 64 }),
  },
  strict,
);

export const AgentStatusSchema = Type.Object(
  {
    generation: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
    bootId: Text(64),
    volumes: Type.Array(VolumeStatusSchema, { maxItems: 256 }),
    problems: Type.Array(ProblemSchema, { maxItems: 64 }),
    downtimeSeconds: Nullable(Bytes),
    unlocked: Type.Boolean(),
  },
  strict,
);

export const ErrorSchema = Type.Object({
  error: Type.Object({
    code: Text(32),
    message: Text(4000),
    details: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
  }),
});

/** A compile error here means that schema and contract have parted. */
type Same<Left, Right> = Left extends Right ? (Right extends Left ? true : never) : never;
export const schemasFollowTheContract: {
  readonly join: Same<Static<typeof JoinRequestSchema>, JoinRequest>;
  readonly renew: Same<Static<typeof RenewRequestSchema>, RenewRequest>;
  readonly reply: Same<Static<typeof JoinReplySchema>, JoinReply>;
  readonly goal: Same<Static<typeof GoalSchema>, Mutable<Goal>>;
  readonly status: Same<Static<typeof AgentStatusSchema>, Mutable<AgentStatus>>;
} = { join: true, renew: true, reply: true, goal: true, status: true };

type Mutable<Value> = Value extends readonly (infer Item)[]
  ? Mutable<Item>[]
  : Value extends object
    ? { -readonly [Name in keyof Value]: Mutable<Value[Name]> }
    : Value;
