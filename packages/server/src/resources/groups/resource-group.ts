export interface ResourceGroup {
  readonly name: string;
  readonly location: string;
  readonly tags: Readonly<Record<string, string>>;
  /** `deleting`: nothing new is made in it. */
  readonly state: 'ready' | 'deleting';
  /** Milliseconds since 1970. */
  readonly createdAt: number;
}
