declare module 'jmespath' {
  /** Evaluates a JMESPath expression over JSON data. */
  export function search(data: unknown, expression: string): unknown;
}
