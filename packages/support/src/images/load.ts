import byosFile from '../data/byos.json' with { type: 'json' };
import endOfLifeFile from '../data/end-of-life.json' with { type: 'json' };
import endorsedFile from '../data/endorsed.json' with { type: 'json' };
import imagesFile from '../data/images.json' with { type: 'json' };
import { Fields, ShapeError } from '../rules/fields.ts';
import { type EndOfLife, generations, type SupportedImage, volumeKinds } from './image.ts';
import { parseUrn, type Urn } from './urn.ts';

/** Bring-your-own-subscription images: a pattern of SKUs, and what holds for each major release. */
export interface ByosRules {
  readonly publisher: string;
  readonly offer: string;
  /** Named groups `major`, `minor` (may be empty: newest) and `gen2`. */
  readonly sku: RegExp;
  readonly distribution: string;
  readonly releases: readonly {
    readonly major: number;
    readonly minorFrom: number;
    readonly minorTo: number;
    readonly volumes: SupportedImage['volumes'];
    readonly pythonDefault: number;
  }[];
}

/** Publishers and offers of a distribution that is endorsed (REQ-027). */
export interface EndorsedDistribution {
  readonly distribution: string;
  readonly publishers: readonly string[];
  readonly offers: RegExp;
}

/** The table of supported images, in its published order. */
export function loadImages(): readonly SupportedImage[] {
  return Fields.of(imagesFile, 'images.json', ['comment', 'source', 'images']).list('images', readImage);
}

function readImage(value: unknown, where: string): SupportedImage {
  const known = 'urn plan label distribution release generation pythonDefault volumes versionFrom'.split(' ');
  const fields = Fields.of(value, where, known);
  return {
    urn: urnOf(fields.text('urn'), where),
    plan: fields.text('plan'),
    label: fields.text('label'),
    distribution: fields.text('distribution'),
    release: fields.text('release'),
    generation: fields.oneOf('generation', generations),
    pythonDefault: fields.number('pythonDefault'),
    volumes: fields.oneOf('volumes', volumeKinds),
    ...(fields.has('versionFrom') ? { versionFrom: fields.text('versionFrom', /^\d{4}-\d{2}$/) } : {}),
    byos: false,
  };
}

function urnOf(text: string, where: string): Urn {
  const urn = parseUrn(text);
  if (urn === undefined) throw new ShapeError(`${where}.urn`, 'must be Publisher:Offer:Sku:Version');
  return urn;
}

export function loadEndOfLife(): readonly EndOfLife[] {
  return Fields.of(endOfLifeFile, 'end-of-life.json', ['comment', 'lookedUp', 'offers']).list(
    'offers',
    (value, where) => {
      const known = ['publisher', 'offer', 'skus', 'what', 'endOfLife', 'basis', 'source'];
      const fields = Fields.of(value, where, known);
      return {
        publisher: fields.text('publisher'),
        offer: fields.text('offer'),
        skus: fields.texts('skus'),
        what: fields.text('what'),
        endOfLife: fields.day('endOfLife'),
        basis: fields.text('basis'),
        source: fields.text('source', /^https:\/\//),
      };
    },
  );
}

export function loadEndorsed(): readonly EndorsedDistribution[] {
  return Fields.of(endorsedFile, 'endorsed.json', ['comment', 'source', 'distributions']).list(
    'distributions',
    (value, where) => {
      const fields = Fields.of(value, where, ['distribution', 'publishers', 'offers']);
      return {
        distribution: fields.text('distribution'),
        publishers: fields.texts('publishers'),
        offers: fields.expression('offers'),
      };
    },
  );
}

export function loadByos(): ByosRules {
  const known = ['comment', 'source', 'publisher', 'offer', 'sku', 'distribution', 'releases'];
  const fields = Fields.of(byosFile, 'byos.json', known);
  return {
    publisher: fields.text('publisher'),
    offer: fields.text('offer'),
    sku: fields.expression('sku'),
    distribution: fields.text('distribution'),
    releases: fields.list('releases', (value, where) => {
      const release = Fields.of(value, where, ['major', 'minorFrom', 'minorTo', 'volumes', 'pythonDefault']);
      return {
        major: release.number('major'),
        minorFrom: release.number('minorFrom'),
        minorTo: release.number('minorTo'),
        volumes: release.oneOf('volumes', volumeKinds),
        pythonDefault: release.number('pythonDefault'),
      };
    }),
  };
}
