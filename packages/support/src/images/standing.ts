import type { SupportRules } from '../rules/rules.ts';
import type { OperatorImage, SupportedImage } from './image.ts';
import { isCustomImage, isLatest, offerKey, parseUrn, type Urn } from './urn.ts';

/** Where an image stands. `answer` is one of the three that the published rule knows (REQ-027). */
export type Standing =
  | { readonly answer: 'supported'; readonly by: 'table'; readonly urn: Urn; readonly image: SupportedImage }
  | { readonly answer: 'supported'; readonly by: 'operator'; readonly image: OperatorImage }
  | {
      readonly answer: 'endorsed-not-supported';
      readonly distribution: string;
      /** The row that differs only in its version (REQ-031). */
      readonly otherVersion: SupportedImage | undefined;
    }
  | { readonly answer: 'not-endorsed'; readonly reason: 'publisher' | 'custom-image' | 'no-urn' };

/** Finds an image by URN or id: first among the operator's, then in the table, then among what is endorsed at all. */
export function standingOf(text: string, rules: SupportRules): Standing {
  const urn = parseUrn(text);
  const own = rules.operatorImages.find((image) => isSameImage(image.urn, text, urn));
  if (own !== undefined) return { answer: 'supported', by: 'operator', image: own };
  if (urn === undefined) return { answer: 'not-endorsed', reason: isCustomImage(text) ? 'custom-image' : 'no-urn' };

  const row = rules.images.find((image) => offerKey(image.urn) === offerKey(urn)) ?? byosImage(urn, rules);
  if (row !== undefined && (isLatest(row.urn) || row.urn.version === urn.version)) {
    return { answer: 'supported', by: 'table', urn, image: row };
  }
  const publisher = urn.publisher.toLowerCase();
  const endorsed = rules.endorsed.find(
    ({ publishers, offers }) => publishers.some((one) => one.toLowerCase() === publisher) && offers.test(urn.offer),
  );
  if (endorsed === undefined) return { answer: 'not-endorsed', reason: 'publisher' };
  return { answer: 'endorsed-not-supported', distribution: endorsed.distribution, otherVersion: row };
}

function isSameImage(configured: string, asked: string, askedUrn: Urn | undefined): boolean {
  const urn = parseUrn(configured);
  if (urn === undefined || askedUrn === undefined) return configured.toLowerCase() === asked.trim().toLowerCase();
  return offerKey(urn) === offerKey(askedUrn) && (isLatest(urn) || urn.version === askedUrn.version);
}

/** A bring-your-own-subscription image as a row of the table: the pay-as-you-go release of the same number (REQ-034). */
function byosImage(urn: Urn, rules: SupportRules): SupportedImage | undefined {
  const { byos } = rules;
  if (urn.publisher.toLowerCase() !== byos.publisher.toLowerCase()) return undefined;
  if (urn.offer.toLowerCase() !== byos.offer.toLowerCase()) return undefined;
  const { major = '', minor = '', gen2 } = byos.sku.exec(urn.sku)?.groups ?? {};
  const release = byos.releases.find((one) => one.major === Number(major || Number.NaN));
  if (release === undefined) return undefined;
  if (minor !== '' && (Number(minor) < release.minorFrom || Number(minor) > release.minorTo)) return undefined;
  return {
    urn: { ...urn, version: 'latest' },
    plan: urn.offer,
    label: urn.sku,
    distribution: byos.distribution,
    release: minor === '' ? major : `${major}.${minor}`,
    generation: gen2 === undefined ? 'V1' : 'V2',
    pythonDefault: release.pythonDefault,
    volumes: release.volumes,
    byos: true,
  };
}
