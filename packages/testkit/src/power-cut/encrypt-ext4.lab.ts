import { testCuts } from './lab-cuts.ts';
import { encrypt } from './operations/encrypt.ts';

testCuts(encrypt, 'ext4', { cuts: 14, kills: 1, showsGuard: true });
