import { lifecycleCommands } from '../objects/lifecycle.ts';

export const commands = lifecycleCommands('keys');
