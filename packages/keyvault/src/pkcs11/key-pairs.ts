import type { KeyShape } from '../service/key-module.ts';
import type { PublicJwk } from '../service/model.ts';
import { type ObjectHandle, type Template, tokenFailure } from './cryptoki.ts';
import { curves, ecJwk, rsaJwk } from './public-key.ts';
import type { TokenCall } from './token.ts';

export interface TokenKeyPair {
  readonly publicKey: PublicJwk;
  readonly privateObject: ObjectHandle;
  readonly publicObject: ObjectHandle;
}

const exponent65537 = Buffer.of(1, 0, 1);
/** For people who look with pkcs11-tool. */
const label = 'kannuki key';

/**
 * Makes a key pair inside the token: the private key sensitive and never to be had out, which the token is asked
 * afterwards. @param id CKA_ID; undefined for a key that ends with its session, for the self test
 */
export async function makeKeyPair(
  call: TokenCall,
  tokenLabel: string,
  shape: KeyShape,
  id: Buffer | undefined,
): Promise<TokenKeyPair> {
  const { binding: b, cryptoki, session } = call;
  const common: Template = [
    { type: b.CKA_TOKEN, value: id !== undefined },
    { type: b.CKA_LABEL, value: label },
    { type: b.CKA_ID, value: id ?? Buffer.alloc(0) },
  ];
  const isRsa = shape.kty === 'RSA';
  const publicTemplate: Template = [
    ...common,
    { type: b.CKA_VERIFY, value: true },
    ...(isRsa
      ? [
          { type: b.CKA_ENCRYPT, value: true },
          { type: b.CKA_MODULUS_BITS, value: shape.bits },
          { type: b.CKA_PUBLIC_EXPONENT, value: exponent65537 },
        ]
      : [{ type: b.CKA_EC_PARAMS, value: curves[shape.crv].parameters }]),
  ];
  const privateTemplate: Template = [
    ...common,
    { type: b.CKA_PRIVATE, value: true },
    { type: b.CKA_SENSITIVE, value: true },
    { type: b.CKA_EXTRACTABLE, value: false },
    { type: b.CKA_SIGN, value: true },
    ...(isRsa ? [{ type: b.CKA_DECRYPT, value: true }] : []),
  ];
  const mechanism = { mechanism: isRsa ? b.CKM_RSA_PKCS_KEY_PAIR_GEN : b.CKM_EC_KEY_PAIR_GEN };
  const pair = await cryptoki.C_GenerateKeyPairAsync(session, mechanism, publicTemplate, privateTemplate);
  const publicKey = readPublicKey(call, pair.publicKey, shape);
  if (publicKey === undefined || !isKept(call, pair.privateKey)) {
    for (const object of [pair.privateKey, pair.publicKey]) cryptoki.C_DestroyObject(session, object);
    throw tokenFailure(
      tokenLabel,
      publicKey === undefined ? 'its public key makes no sense' : 'its private key could be taken out',
    );
  }
  // What the binding works on must outlive the call (see Pkcs11Token.use).
  void [publicTemplate, privateTemplate];
  return { publicKey, privateObject: pair.privateKey, publicObject: pair.publicKey };
}

function readPublicKey(
  { binding: b, cryptoki, session }: TokenCall,
  object: ObjectHandle,
  shape: KeyShape,
): PublicJwk | undefined {
  const read = (type: number): Buffer => cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value as Buffer;
  if (shape.kty === 'EC') return ecJwk(shape.crv, read(b.CKA_EC_POINT));
  return rsaJwk(read(b.CKA_MODULUS), read(b.CKA_PUBLIC_EXPONENT));
}

/** What the token says of the key itself, not what it was asked for. */
function isKept({ binding: b, cryptoki, session }: TokenCall, object: ObjectHandle): boolean {
  const wanted = [
    [b.CKA_SENSITIVE, true],
    [b.CKA_EXTRACTABLE, false],
    [b.CKA_NEVER_EXTRACTABLE, true],
  ] as const;
  return wanted.every(([type, value]) => {
    const found = cryptoki.C_GetAttributeValue(session, object, [{ type }])[0]?.value as Buffer | undefined;
    return found?.[0] === (value ? 1 : 0);
  });
}
