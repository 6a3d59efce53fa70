import { type ErrorCode, KannukiError } from '@kannuki/core';

/** Errors as Azure Resource Manager writes them. `details` names our own code, by which docs/errors.md is searched. */
export interface ArmErrorBody {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly details?: readonly { readonly code: string; readonly message: string }[];
  };
}

/** Azure's words for our errors; clients act on some of them. */
const armCodes: Partial<Record<ErrorCode, string>> = {
  'KNK-ARM-0001': 'ResourceGroupNotFound',
  'KNK-ARM-0002': 'ResourceNotFound',
  'KNK-ARM-0003': 'VaultAlreadyExists',
  'KNK-ARM-0004': 'ConflictError',
  'KNK-ARM-0005': 'VaultNameNotValid',
  'KNK-ARM-0006': 'AuthorizationFailed',
  'KNK-ARM-0007': 'InvalidAuthenticationToken',
  'KNK-ARM-0008': 'MissingApiVersionParameter',
  'KNK-ARM-0009': 'BadRequest',
  'KNK-ARM-0010': 'SubscriptionNotFound',
  'KNK-ARM-0011': 'DeletedVaultNotFound',
  'KNK-ARM-0012': 'Conflict',
  'KNK-ARM-0013': 'ResourceGroupBeingDeleted',
  'KNK-ARM-0014': 'InvalidResourceLocation',
  'KNK-ARM-0015': 'RoleAssignmentExists',
  'KNK-ARM-0016': 'RoleDefinitionDoesNotExist',
  'KNK-ARM-0017': 'MisdirectedRequest',
  'KNK-ARM-0018': 'Conflict',
  'KNK-ARM-0019': 'OperationInterrupted',
  'KNK-ARM-0020': 'BadRequest',
  'KNK-KVT-0003': 'ResourceNotFound',
  'KNK-KVT-0025': 'MethodNotAllowed',
  'KNK-KVT-0027': 'ServiceUnavailable',
  'KNK-SRV-0006': 'TooManyRequests',
  'KNK-SRV-0009': 'InvalidRequestContent',
  'KNK-SRV-0018': 'InternalServerError',
  'KNK-SRV-0024': 'RequestContentTooLarge',
  'KNK-SRV-0026': 'InvalidResourceName',
  'KNK-SRV-0027': 'NotFound',
  'KNK-SRV-0028': 'BadRequest',
};

export function armError(error: KannukiError): ArmErrorBody['error'] {
  const message = `${error.describe('en')}; ${error.remedy('en')}`;
  return { code: armCodes[error.code] ?? 'BadRequest', message, details: [{ code: error.code, message }] };
}

export function armErrorBody(error: KannukiError): ArmErrorBody {
  return { error: armError(error) };
}

/** @param what a field or parameter, @param reason never a value that could be secret */
export function invalid(what: string, reason: string): KannukiError {
  return new KannukiError('KNK-ARM-0009', { details: { what: what.slice(0, 200), reason } });
}
