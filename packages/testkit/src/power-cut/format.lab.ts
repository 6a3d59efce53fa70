import { testCuts } from './lab-cuts.ts';
import { format } from './operations/format.ts';

testCuts(format, 'ext4', { cuts: 22 });
