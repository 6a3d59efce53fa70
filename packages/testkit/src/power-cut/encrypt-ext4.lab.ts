import { testCuts } from './lab-cuts.ts';
import { encrypt } from './operations/encrypt.ts';

testCuts(encrypt, 'ext4', { cuts: 30, kills: 1, showsGuard: true });
