import { testVaultGone } from './test-vault-gone.ts';

testVaultGone(['rotate-volume-key', 'decrypt'], 'after', 4);
