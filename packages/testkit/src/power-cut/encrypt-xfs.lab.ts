import { testCuts } from './lab-cuts.ts';
import { encrypt } from './operations/encrypt.ts';

testCuts(encrypt, 'xfs', { cuts: 10 });
