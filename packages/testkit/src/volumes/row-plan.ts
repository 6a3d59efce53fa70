import type { Layout } from './layouts/layout.ts';
import {
  type MatrixOperation,
  type MatrixOperationName,
  matrixOperationNames,
  matrixOperations,
} from './operations.ts';
import type { RowStep, Stage } from './result.ts';

export const plain: Stage = { state: 'NotEncrypted', isUnderway: false };
export const encrypted: Stage = { state: 'Encrypted', isUnderway: false };

/** How a row stands once it is made. */
export function firstStage({ encryptedFirst }: Layout): Stage {
  return encryptedFirst === undefined ? plain : encrypted;
}

/**
 * The operations of one row in an order in which each finds the state that it needs: runs, each on fresh disks, because some
 * states lead nowhere (a volume under a header on the disk never becomes plain again). Operations without an entry are left out.
 */
export function planRow(layout: Layout, chosen: readonly MatrixOperationName[]): readonly (readonly RowStep[])[] {
  const plan = new RowPlan(layout);
  for (const name of orderOf(layout, chosen)) plan.add(name);
  return plan.runs;
}

/** What a plain volume refuses comes first: once it is encrypted it is refused for that. */
function orderOf({ order, refused }: Layout, chosen: readonly MatrixOperationName[]): readonly MatrixOperationName[] {
  const all = order ?? matrixOperationNames;
  const names = all.filter((name) => chosen.includes(name) && matrixOperations[name] !== undefined);
  if (order !== undefined) return names;
  const isEarly = (name: MatrixOperationName): boolean =>
    refused?.[name] !== undefined && matrixOperations[name]?.needs === 'plain';
  return [...names.filter(isEarly), ...names.filter((name) => !isEarly(name))];
}

class RowPlan {
  readonly #layout: Layout;
  readonly #runs: RowStep[][] = [[]];
  #stage: Stage;

  constructor(layout: Layout) {
    this.#layout = layout;
    this.#stage = firstStage(layout);
  }

  get runs(): readonly (readonly RowStep[])[] {
    return this.#runs.filter((run) => run.length > 0);
  }

  add(name: MatrixOperationName): void {
    const operation = operationNamed(name);
    const isDone = this.#layout.refused?.[name] === undefined;
    const needs = operation.needs === 'plain' ? 'plain' : 'encrypted';
    // What is refused on a plain volume is refused on one that nothing has happened to yet.
    const mayBeElsewhere = operation.needs === 'any' || !isDone;
    if (!mayBeElsewhere || (needs === 'encrypted' && this.#wayIn() !== undefined)) this.#goTo(needs);
    this.#push(name, true);
  }

  #goTo(needs: 'plain' | 'encrypted'): void {
    if (this.#is(needs)) return;
    if (this.#stage.isUnderway || (needs === 'plain' && this.#isRefused('decrypt'))) {
      this.#runs.push([]);
      this.#stage = firstStage(this.#layout);
      if (this.#is(needs)) return;
    }
    const way = needs === 'plain' ? 'decrypt' : this.#wayIn();
    if (way === undefined || this.#isRefused(way)) throw new Error(`${this.#layout.name} cannot become ${needs}`);
    this.#push(way, false);
  }

  #push(name: MatrixOperationName, isCell: boolean): void {
    const operation = operationNamed(name);
    const refusal = this.#layout.refused?.[name] ?? null;
    if (refusal === null && operation.leaves !== 'as-it-was') this.#stage = stageAfter(operation, this.#layout);
    this.#runs.at(-1)?.push({ operation: name, isCell, refusal, leaves: this.#stage });
  }

  /** How a plain volume gets encrypted, to the end, where something needs that it is. */
  #wayIn(): MatrixOperationName | undefined {
    const ways = (['encrypt', 'format'] as const).filter((name) => !this.#isRefused(name));
    return ways.find((name) => !stageAfter(operationNamed(name), this.#layout).isUnderway);
  }

  #is(needs: 'plain' | 'encrypted'): boolean {
    return !this.#stage.isUnderway && this.#stage.state === (needs === 'plain' ? plain : encrypted).state;
  }

  #isRefused(name: MatrixOperationName): boolean {
    return this.#layout.refused?.[name] !== undefined;
  }
}

function stageAfter({ leaves, underway }: MatrixOperation, { isHuge }: Layout): Stage {
  if (isHuge === true && underway !== undefined) return { state: underway, isUnderway: true };
  return leaves === 'plain' ? plain : encrypted;
}

function operationNamed(name: MatrixOperationName): MatrixOperation {
  const operation = matrixOperations[name];
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return operation;
}
