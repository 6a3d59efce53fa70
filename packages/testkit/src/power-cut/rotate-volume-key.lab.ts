import { testCuts } from './lab-cuts.ts';
import { rotateVolumeKeyOperation } from './operations/rotate-volume-key.ts';

testCuts(rotateVolumeKeyOperation, 'xfs', { cuts: 20 });
