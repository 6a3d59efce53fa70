export { AgentClient } from './agent-client.ts';
export { type AgentEvent, type AgentPace, defaultPace, type RunAgentOptions } from './agent-options.ts';
export { AgentStore, defaultAgentFolder, type Identity, type Membership } from './agent-store.ts';
export type { AgentEngine, EngineJournal, EngineProblem, EngineRequest } from './engine.ts';
export { type JoinOptions, joinServer } from './join.ts';
export { ensureMember } from './membership.ts';
export { provisionFolder } from './provision.ts';
export { currentBootId, runAgent } from './run-agent.ts';
