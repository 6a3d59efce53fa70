/** What a format was begun with, in the volume's journal. */
export interface FormatRecord {
  /** The file system that the owner gave up; null when the device was blank. Nothing else is ever written over. */
  readonly before: FileSystemIdentity | null;
  /** Nobody confirmed that files may go: only a file system without any is given up. Looked at again right before the unmount. */
  readonly onlyIfEmpty: boolean;
  /** UUID of the LUKS header, chosen before it is made: by it each later step knows its own work again. */
  readonly luksUuid: string;
  /** Label of the file system, as it was. */
  readonly label: string;
  /** Owner and permission bits of the top folder, as they were: services may depend on them. null: as mkfs(8) makes it. */
  readonly topFolder: { readonly uid: number; readonly gid: number; readonly mode: number } | null;
  /** Whether the blocks behind the header are zeroed first, so that nothing old can be read from the raw disk. */
  readonly wipe: boolean;
  /** ISO 8601; when the volume was let go of. */
  readonly leftAt: string | null;
}

export interface FileSystemIdentity {
  readonly type: string;
  readonly uuid: string;
}
