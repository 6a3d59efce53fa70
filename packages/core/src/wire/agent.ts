/**
 * What an agent and its server say to each other, over TLS 1.3 with client certificates (except `join`).
 * Paths are below `/agent/v1`. Secrets travel as base64 in JSON bodies of the escrow calls only.
 */

/** State of one volume, as the kernel and the header say it now. */
export type VolumeState =
  | 'NotEncrypted'
  | 'EncryptionInProgress'
  | 'Encrypted'
  | 'DecryptionInProgress'
  | 'NotMounted'
  | 'Locked';

/** One row of `kannuki disk list` and of the agent's status. */
export interface VolumeStatus {
  /** Mapper name once there is one, else the kernel's device name. */
  readonly name: string;
  /** Device node of the disk or partition below. */
  readonly device: string;
  /** Serial number of the disk below, by which the server knows its own disks; left out where it is not known. */
  readonly serial?: string | null;
  readonly fileSystem: string | null;
  readonly mountPoint: string | null;
  readonly sizeBytes: number;
  readonly usedBytes: number | null;
  readonly kind: 'os' | 'data' | 'other';
  readonly state: VolumeState;
  /** 0..100, share of the bytes that are encrypted. */
  readonly percent: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  readonly bytesPerSecond: number | null;
  readonly etaSeconds: number | null;
  /** The owner has paused the work on it; left out where none is under way. */
  readonly paused?: boolean;
  /** Where the next boot takes the key from. */
  readonly keySource: 'none' | 'key-volume' | 'vault' | 'random';
  readonly secretId: string | null;
  readonly kekId: string | null;
  /**
   * What is under way on a volume that stays encrypted meanwhile, e.g. `rotate-volume-key`; speed and time left are then this one's. null or left
   * out: nothing of the kind.
   */
  readonly operation?: VolumeOperation | null;
}

export interface VolumeOperation {
  readonly name: string;
  /** 0..100, share of the bytes that have the new key; null for an operation that converts nothing. */
  readonly percent: number | null;
}

/** `GET /authority`, without certificate: what `join` compares with the fingerprint in its token. */
export interface AuthorityReply {
  /** PEM. */
  readonly authority: string;
}

/** `POST /join` with a one-time token: answers the agent's certificate. */
export interface JoinRequest {
  /** See join-token.ts. */
  readonly token: string;
  /** PEM, PKCS#10; the server takes only the public key from it and names the subject itself. */
  readonly certificateSigningRequest: string;
}

export interface JoinReply {
  readonly vmId: string;
  /** PEM of the agent's client certificate. */
  readonly certificate: string;
  /** PEM of the authority that signs server and agents. */
  readonly authority: string;
}

/** `POST /renew`: a new certificate for a new key; the old one works until the new one was used. */
export interface RenewRequest {
  readonly certificateSigningRequest: string;
}

/** Longest wait of one long poll, s; a client asks again. */
export const maximumGoalWaitSeconds = 55;

/**
 * `GET /goal?after=GENERATION&wait=SECONDS`: long poll; 204 when nothing newer came in time. An agent that takes up a new
 * generation reports its status at once, even where the volumes are the same as before: that is how the server asks.
 */
export interface Goal {
  /** Rises with every change; 0 where nothing was ever asked for. */
  readonly generation: number;
  readonly volumes: readonly VolumeGoal[];
  /** Under which vfat volume id the host attaches a key volume at each start; null where the agent unlocks by itself. */
  readonly keyVolume: { readonly fileSystemUuid: string } | null;
}

export interface VolumeGoal {
  /** Mount point or device. */
  readonly target: string;
  readonly wanted: 'Encrypted';
  readonly vaultName: string;
  /** The vault's own address, which the ids of its objects begin with. */
  readonly vaultUri: string;
  /** Versioned or unversioned key id; null for no KEK. */
  readonly kekId: string | null;
  readonly stopServices: boolean;
}

/** `PUT /status`. */
export interface AgentStatus {
  /** Newest generation of the goal that the agent knows. */
  readonly generation: number;
  readonly bootId: string;
  readonly volumes: readonly VolumeStatus[];
  /** One entry a volume that the goal names and that was refused or failed. */
  readonly problems: readonly AgentProblem[];
  /** Longest time a volume was unmounted for its conversion, s; null before. */
  readonly downtimeSeconds: number | null;
  /** All volumes that should be open at boot are open: the host may take the key volume away. */
  readonly unlocked: boolean;
}

export interface AgentProblem {
  readonly target: string;
  readonly code: string;
  readonly message: string;
  readonly remedy: string;
  readonly findings: readonly { rule: string; severity: string; subject: string; message: string; remedy: string }[];
}
