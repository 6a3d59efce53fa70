import type { AgentProblem, Goal } from '@kannuki/core';

/** What the loops of one agent share. */
export class AgentState {
  goal: Goal;
  /** Work on a volume is under way: report often. */
  working = false;
  readonly #problems = new Map<string, AgentProblem>();

  constructor(goal: Goal) {
    this.goal = goal;
  }

  get problems(): readonly AgentProblem[] {
    return [...this.#problems.values()].slice(0, 64);
  }

  setProblem(problem: AgentProblem): void {
    this.#problems.set(problem.target, problem);
  }

  clearProblem(target: string): void {
    this.#problems.delete(target);
  }
}

/** Nothing was ever asked for. */
export const noGoal: Goal = { generation: 0, volumes: [], keyVolume: null };
