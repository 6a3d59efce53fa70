import type { ScenarioMachine, ScenarioOptions } from '../lab/scenario-machine.ts';
import { LabError, UmlMachine } from '../lab/uml.ts';
import { QemuScenarioMachine } from './scenario-machine.ts';

/** Both kinds of machine that a scenario can run in. */
export const machineKinds = {
  'user-mode Linux': (options: ScenarioOptions): Promise<ScenarioMachine> => UmlMachine.start(options),
  QEMU: (options: ScenarioOptions): Promise<ScenarioMachine> => QemuScenarioMachine.start(options),
} as const;

export type MachineKind = keyof typeof machineKinds;

/** Runs a scenario in a fresh machine to its end. A scenario that fails is an error here, with its log. */
export async function runScenario<Result>(kind: MachineKind, options: ScenarioOptions): Promise<Result> {
  const machine = await machineKinds[kind](options);
  const { exitCode, result, log } = await machine.finish<Result>();
  if (exitCode !== 0) throw new LabError(`the scenario ended with ${exitCode}\n${log}`);
  return result;
}
