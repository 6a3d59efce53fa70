/** The name of a marketplace image: `Publisher:Offer:Sku:Version`. */
export interface Urn {
  readonly publisher: string;
  readonly offer: string;
  readonly sku: string;
  /** A version, or `latest`. */
  readonly version: string;
}

/** Undefined where the text is no URN: four parts of letters, digits, `.`, `_` and `-`. */
export function parseUrn(text: string): Urn | undefined {
  const parts = text.trim().split(':');
  const [publisher = '', offer = '', sku = '', version = ''] = parts;
  if (parts.length !== 4 || !parts.every((part) => /^[\w.-]{1,128}$/.test(part))) return undefined;
  return { publisher, offer, sku, version };
}

/** Key of an image's publisher, offer and SKU: letter case does not count (REQ-029). */
export function offerKey(urn: Urn): string {
  return `${urn.publisher}:${urn.offer}:${urn.sku}`.toLowerCase();
}

export function isLatest(urn: Urn): boolean {
  return urn.version.toLowerCase() === 'latest';
}

/** Resource id of a custom image: managed image or gallery (REQ-081). */
export function isCustomImage(text: string): boolean {
  return /^\/(?:subscriptions|communityGalleries|sharedGalleries)\//i.test(text.trim());
}

/**
 * Year and month in an image version, as `YYYY-MM`; undefined where it has none.
 * @example versionMonth('2.20230526.02') // '2023-05'
 */
export function versionMonth(version: string): string | undefined {
  const match = /(?:^|\.)(20\d{2})\.?(0[1-9]|1[0-2])(?:\.?[0-3]\d)?(?=\.|$)/.exec(version);
  return match === null ? undefined : `${match[1]}-${match[2]}`;
}
