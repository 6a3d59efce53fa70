/** Patterns of Azure roles: `*` stands for any text, slashes too; letter case does not count. */
const compiled = new Map<string, RegExp>();

/** @param pattern of a built-in role: they are few, so each is compiled once */
function matches(pattern: string, action: string): boolean {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const literal = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
    expression = new RegExp(`^${literal}$`, 'i');
    compiled.set(pattern, expression);
  }
  return expression.test(action);
}

export function isGranted(patterns: readonly string[], exceptions: readonly string[], action: string): boolean {
  return (
    patterns.some((pattern) => matches(pattern, action)) && !exceptions.some((pattern) => matches(pattern, action))
  );
}
