import type { SupportRules } from '../rules/rules.ts';
import type { EndOfLife, SupportedImage } from './image.ts';

/** The publisher's end of life of a supported image (REQ-035). */
export function endOfLifeOf(image: SupportedImage, rules: SupportRules): EndOfLife | undefined {
  const { publisher, offer, sku } = image.urn;
  const same = (left: string, right: string): boolean => left.toLowerCase() === right.toLowerCase();
  if (!image.byos) {
    return rules.endOfLife.find(
      (row) => same(row.publisher, publisher) && same(row.offer, offer) && row.skus.some((one) => same(one, sku)),
    );
  }
  // A subscription of one's own does not lengthen the life of a release: the pay-as-you-go row of its major counts.
  const major = image.release.split('.')[0];
  const sibling = rules.images.find(
    (row) => row.distribution === image.distribution && row.release.split('.')[0] === major,
  );
  return sibling === undefined ? undefined : endOfLifeOf(sibling, rules);
}
