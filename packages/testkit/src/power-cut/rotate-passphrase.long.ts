import { testCuts } from './lab-cuts.ts';
import { rotatePassphraseOperation } from './operations/rotate-passphrase.ts';

testCuts(rotatePassphraseOperation, 'ext4', { cuts: 20 });
