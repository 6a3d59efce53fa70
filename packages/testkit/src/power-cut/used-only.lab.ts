import { testCuts } from './lab-cuts.ts';
import { usedOnly } from './operations/used-only.ts';

testCuts(usedOnly, 'ext4', { cuts: 24 });
