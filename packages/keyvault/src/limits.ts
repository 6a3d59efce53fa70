/** Largest value of a vault secret, bytes (REQ-345). */
export const maximumSecretBytes = 25 * 1024;

/** Tags of a secret and their lengths, characters (REQ-326); content type (REQ-345). */
export const secretLimits = { tags: 15, tagName: 512, tagValue: 512, contentType: 255 } as const;
