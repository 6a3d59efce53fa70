import { KannukiError } from '@kannuki/core';
import { type OperatorImage, volumeKinds } from '../images/image.ts';
import { isCustomImage, parseUrn } from '../images/urn.ts';
import { Fields, readText, ShapeError } from './fields.ts';
import type { SupportAdditions } from './rules.ts';

/**
 * Reads the operator's additions from a configuration that has been parsed already.
 *
 *     regions = ["lab"]
 *     [[images]]
 *     urn = "Debian:debian-12:12:latest"
 *     volumes = "os-and-data"           # or "data-only"
 *     reason = "built and tested by us"
 *     endOfLife = "2028-06-30"          # may be left out
 *
 * @param value `{ images?: […], regions?: […] }`; other keys are not looked at, they belong to other parts
 * @throws KannukiError KNK-SUP-0001 naming the wrong field
 */
export function parseSupportAdditions(value: unknown): SupportAdditions {
  try {
    const { images = [], regions = [] } = tableOf(value);
    const fields = Fields.of({ images, regions }, 'configuration', ['images', 'regions']);
    return { images: fields.list('images', readOperatorImage), regions: fields.list('regions', readText) };
  } catch (error) {
    if (!(error instanceof ShapeError)) throw error;
    throw new KannukiError('KNK-SUP-0001', { details: { where: error.where, problem: error.problem }, cause: error });
  }
}

function tableOf(value: unknown): { readonly images?: unknown; readonly regions?: unknown } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ShapeError('configuration', 'must be a table of keys and values');
  }
  return value;
}

function readOperatorImage(value: unknown, where: string): OperatorImage {
  const fields = Fields.of(value, where, ['urn', 'volumes', 'reason', 'endOfLife']);
  const urn = fields.text('urn').trim();
  if (parseUrn(urn) === undefined && !isCustomImage(urn)) {
    throw new ShapeError(`${where}.urn`, 'must be Publisher:Offer:Sku:Version or the id of a custom image');
  }
  return {
    urn,
    volumes: fields.oneOf('volumes', volumeKinds),
    reason: fields.text('reason').trim(),
    ...(fields.has('endOfLife') ? { endOfLife: fields.day('endOfLife') } : {}),
  };
}
