import { KannukiError } from '@kannuki/core';
import type * as Pkcs11js from 'pkcs11js';

/** The binding: constants and classes. */
export type Binding = typeof Pkcs11js;
export type Cryptoki = Pkcs11js.PKCS11;
export type SessionHandle = Pkcs11js.Handle;
export type ObjectHandle = Pkcs11js.Handle;
export type Mechanism = Pkcs11js.Mechanism;
export type Template = Pkcs11js.Template;

/** A vendor's module in this process. */
export interface LoadedModule {
  readonly binding: Binding;
  readonly cryptoki: Cryptoki;
  /** Ends the module with its last user. @param finalize false where a call into it never came back */
  readonly release: (finalize?: boolean) => void;
}

/** C_Initialize and C_Finalize are for the whole process (PKCS #11 2.40, 5.4), so a module is shared by all its users. */
const loaded = new Map<string, { readonly binding: Binding; readonly cryptoki: Cryptoki; users: number }>();

/** @param path of the shared library. @throws KannukiError KNK-KVT-0042, 0043 where the binding is not installed */
export async function loadModule(path: string): Promise<LoadedModule> {
  const binding = await loadBinding();
  let shared = loaded.get(path);
  if (shared === undefined) {
    const cryptoki = new binding.PKCS11();
    try {
      cryptoki.load(path);
    } catch {
      // The loader's own text may name any path or symbol; ours is enough.
      throw tokenFailure(path, 'the module cannot be loaded');
    }
    try {
      cryptoki.C_Initialize({ flags: binding.CKF_OS_LOCKING_OK });
    } catch (error) {
      if (resultName(error) !== 'CKR_CRYPTOKI_ALREADY_INITIALIZED') throw tokenFailure(path, resultName(error));
    }
    shared = { binding, cryptoki, users: 0 };
    loaded.set(path, shared);
  }
  shared.users += 1;
  const mine = shared;
  let released = false;
  return {
    binding,
    cryptoki: mine.cryptoki,
    release(finalize = true) {
      if (released) return;
      released = true;
      mine.users -= 1;
      if (mine.users > 0 || !finalize) return;
      loaded.delete(path);
      try {
        mine.cryptoki.C_Finalize();
        mine.cryptoki.close();
      } catch {
        // It is gone already: nothing is left to end.
      }
    },
  };
}

/** Optional: it is compiled on the machine, and only those who have a token need it. */
async function loadBinding(): Promise<Binding> {
  try {
    const imported: Binding & { readonly default?: Binding } = await import('pkcs11js');
    return imported.default ?? imported;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'it does not load';
    throw new KannukiError('KNK-KVT-0043', { details: { reason } });
  }
}

/** The result code of a failed call, e.g. `CKR_PIN_INCORRECT`; never more than that of what the binding says. */
export function resultName(error: unknown): string {
  return (
    (error instanceof Error ? /CKR_[A-Z0-9_]+/.exec(`${error.message}\n${error.stack}`)?.[0] : undefined) ??
    'an unknown error'
  );
}

export function isResult(error: unknown): boolean {
  return error instanceof Error && /CKR_[A-Z0-9_]+/.test(`${error.message}\n${error.stack}`);
}

export function tokenFailure(token: string, reason: string): KannukiError {
  return new KannukiError('KNK-KVT-0042', { details: { token, reason } });
}
