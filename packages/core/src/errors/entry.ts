import type { Text } from '../language.ts';
import type { ExitName } from './exit-codes.ts';

/**
 * One row of the error catalogue. `{name}` in a text is filled from the error's details, so every value
 * that a text names must be safe to show: never a key, never a passphrase.
 */
export interface CatalogueEntry {
  readonly exit: ExitName;
  /** HTTP status where the error crosses a network edge. */
  readonly http: number;
  readonly message: Text;
  readonly remedy: Text;
}
