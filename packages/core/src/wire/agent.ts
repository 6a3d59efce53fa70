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
  /** Where the next boot takes the key from. */
  readonly keySource: 'none' | 'key-volume' | 'vault';
  readonly secretId: string | null;
  readonly kekId: string | null;
}

/** `POST /join` with a one-time token: answers the agent's certificate. */
export interface JoinRequest {
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

/** `GET /goal?after=GENERATION&wait=SECONDS`: long poll; 204 when nothing newer came in time. */
export interface Goal {
  readonly generation: number;
  readonly volumes: readonly VolumeGoal[];
  /** Set while the host has a key volume attached to this VM: how the agent finds it. */
  readonly keyVolume: { readonly fileSystemUuid: string } | null;
}

export interface VolumeGoal {
  /** Mount point or device. */
  readonly target: string;
  readonly wanted: 'Encrypted';
  readonly vaultName: string;
  /** Versioned or unversioned key id; null for no KEK. */
  readonly kekId: string | null;
  readonly stopServices: boolean;
}

/** `PUT /status`. */
export interface AgentStatus {
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
