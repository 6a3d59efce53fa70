import { testCuts } from './lab-cuts.ts';
import { decrypt } from './operations/decrypt.ts';

testCuts(decrypt, 'ext4', { cuts: 20, showsGuard: true });
