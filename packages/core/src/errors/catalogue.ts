import { agentErrors } from './agent-errors.ts';
import { auditErrors } from './audit-errors.ts';
import { azureClientErrors } from './azure-client-errors.ts';
import { cliErrors } from './cli-errors.ts';
import { commandErrors } from './command-errors.ts';
import type { CatalogueEntry } from './entry.ts';
import { formatsErrors } from './formats-errors.ts';
import { hostErrors } from './host-errors.ts';
import { identityErrors } from './identity-errors.ts';
import { keyvaultErrors } from './keyvault-errors.ts';
import { resourcesErrors } from './resources-errors.ts';
import { serverErrors } from './server-errors.ts';
import { supportErrors } from './support-errors.ts';
import { volumesErrors } from './volumes-errors.ts';

/** Every error that Kannuki raises on purpose. What is not in here is a bug and is shown as one. */
export const catalogue = {
  ...agentErrors,
  ...azureClientErrors,
  ...auditErrors,
  ...cliErrors,
  ...commandErrors,
  ...formatsErrors,
  ...hostErrors,
  ...identityErrors,
  ...keyvaultErrors,
  ...resourcesErrors,
  ...serverErrors,
  ...supportErrors,
  ...volumesErrors,
};

export type ErrorCode = keyof typeof catalogue;

export function catalogueEntry(code: ErrorCode): CatalogueEntry {
  return catalogue[code];
}
