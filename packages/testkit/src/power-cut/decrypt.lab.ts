import { testCuts } from './lab-cuts.ts';
import { decrypt } from './operations/decrypt.ts';

testCuts(decrypt, 'ext4', { cuts: 10, showsGuard: true });
