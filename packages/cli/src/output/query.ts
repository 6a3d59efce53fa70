import { KannukiError } from '@kannuki/core';

/**
 * JMESPath over a result, as az does with `--query`.
 * @throws KannukiError KNK-CLI-0006 where the expression is wrong
 */
export async function applyQuery(expression: string, data: unknown): Promise<unknown> {
  const { search } = await import('jmespath');
  try {
    // Through JSON: the expression must see exactly what `-o json` shows.
    return search(JSON.parse(JSON.stringify(data)), expression);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KannukiError('KNK-CLI-0006', { details: { expression, reason }, cause: error });
  }
}
