import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import { endOfLifeOf } from '../images/end-of-life.ts';
import type { OperatorImage, SupportedImage, VolumeKinds } from '../images/image.ts';
import { type Standing, standingOf } from '../images/standing.ts';
import { isLatest, type Urn, versionMonth } from '../images/urn.ts';
import { centosNotice } from '../notices.ts';
import type { SupportRules } from '../rules/rules.ts';
import { found } from './finding.ts';

const listRemedy = {
  en: 'use an image that `kannuki support images` lists, or let the operator add this one to [[images]] with a reason',
  ja: '`kannuki support images` に表示されるイメージを使うか、運用者が理由を付けて [[images]] に追加してください',
};

/** May disks of VMs of this image be encrypted? REQ-001, REQ-015, REQ-027..REQ-032, REQ-034, REQ-035, REQ-081. */
export function checkImage(facts: SupportFacts, rules: SupportRules): Finding[] {
  if (facts.urn === undefined) return [];
  const subject = facts.urn.trim();
  const standing = standingOf(subject, rules);
  if (standing.answer !== 'supported') return [refusal(subject, standing)];
  if (standing.by === 'operator') return checkOperatorImage(facts, subject, standing.image);
  const { image, urn } = standing;
  return [
    ...checkNotice(subject, urn),
    ...checkVolumes(facts, subject, image.volumes),
    ...checkVersion(subject, urn, image),
    ...checkSubscription(facts, subject, image),
    ...checkEndOfLife(facts, subject, image, rules),
    ...checkGeneration(facts, subject, image),
  ];
}

function refusal(subject: string, standing: Exclude<Standing, { readonly answer: 'supported' }>): Finding {
  if (standing.answer === 'endorsed-not-supported') {
    const { distribution, otherVersion } = standing;
    if (otherVersion !== undefined) {
      const { version } = otherVersion.urn;
      return found(
        'refuse',
        'REQ-031',
        subject,
        {
          en: `this version of the image is not supported; only version ${version} is`,
          ja: `このバージョンのイメージはサポートされていません。サポートされるのはバージョン ${version} だけです`,
        },
        {
          en: `use version ${version}, or another image`,
          ja: `バージョン ${version} か、別のイメージを使ってください`,
        },
      );
    }
    return found(
      'refuse',
      'REQ-028',
      subject,
      {
        en: `the distribution (${distribution}) is endorsed, but this image is not in the table of supported images`,
        ja: `ディストリビューション (${distribution}) は動作が保証されていますが、このイメージはサポート対象の表にありません`,
      },
      listRemedy,
    );
  }
  switch (standing.reason) {
    case 'custom-image':
      return found(
        'refuse',
        'REQ-081',
        subject,
        { en: 'custom images are not supported', ja: 'カスタム イメージはサポートされていません' },
        listRemedy,
      );
    case 'publisher':
      return found(
        'refuse',
        'REQ-028',
        subject,
        {
          en: 'the image is not of an endorsed distribution',
          ja: '動作が保証されたディストリビューションのイメージではありません',
        },
        listRemedy,
      );
    case 'no-urn':
      return found(
        'refuse',
        'REQ-029',
        subject,
        {
          en: 'this is no image name: it must be Publisher:Offer:Sku:Version',
          ja: 'イメージ名ではありません。Publisher:Offer:Sku:Version の形式で指定してください',
        },
        listRemedy,
      );
  }
}

/** The operator answers for these: neither the table nor the publisher's dates count, only what the configuration says. */
function checkOperatorImage(facts: SupportFacts, subject: string, image: OperatorImage): Finding[] {
  const findings = [
    found(
      'note',
      'REQ-081',
      subject,
      {
        en: `the image is allowed by the operator of this installation: ${image.reason}`,
        ja: `このイメージは運用者が許可しています: ${image.reason}`,
      },
      { en: 'nothing to do', ja: '対処は不要です' },
    ),
    ...checkVolumes(facts, subject, image.volumes),
  ];
  const { endOfLife } = image;
  if (endOfLife === undefined || facts.date === undefined || facts.date <= endOfLife) return findings;
  return [...findings, endOfLifeFinding(subject, subject, endOfLife)];
}

function checkNotice(subject: string, urn: Urn): Finding[] {
  if (urn.publisher.toLowerCase() !== centosNotice.publisher.toLowerCase()) return [];
  return [found('note', 'REQ-001', subject, centosNotice.message, centosNotice.remedy)];
}

function checkVolumes(facts: SupportFacts, subject: string, volumes: VolumeKinds): Finding[] {
  if (volumes === 'os-and-data' || facts.volumeType === 'DATA') return [];
  return [
    found(
      'refuse',
      'REQ-030',
      subject,
      {
        en: `only data disks of this image can be encrypted; ${facts.volumeType} was asked for`,
        ja: `このイメージで暗号化できるのはデータ ディスクだけですが、${facts.volumeType} が指定されています`,
      },
      { en: 'ask for volume type DATA', ja: 'ボリュームの種類に DATA を指定してください' },
    ),
  ];
}

/** `latest` is always new enough; a version without a date cannot be shown to be. */
function checkVersion(subject: string, urn: Urn, image: SupportedImage): Finding[] {
  const { versionFrom } = image;
  if (versionFrom === undefined || isLatest(urn)) return [];
  const month = versionMonth(urn.version);
  if (month !== undefined && month >= versionFrom) return [];
  return [
    found(
      'refuse',
      'REQ-032',
      subject,
      {
        en: `the image is supported from the versions of ${versionFrom} on; this one is ${month === undefined ? 'of an unknown date' : `of ${month}`}`,
        ja: `このイメージは ${versionFrom} 以降のバージョンでサポートされます。指定のバージョンは${month === undefined ? '日付が不明' : ` ${month} のもの`}です`,
      },
      { en: `use a version of ${versionFrom} or later`, ja: `${versionFrom} 以降のバージョンを使ってください` },
    ),
  ];
}

function checkSubscription(facts: SupportFacts, subject: string, image: SupportedImage): Finding[] {
  if (!image.byos || facts.byosRegistered === true) return [];
  return [
    found(
      'refuse',
      'REQ-034',
      subject,
      {
        en: 'this is a bring-your-own-subscription image and its subscription is not registered',
        ja: 'サブスクリプション持ち込み (BYOS) イメージですが、サブスクリプションが登録されていません',
      },
      {
        en: 'register the subscription first (subscription-manager register), then say so with --byos-registered',
        ja: '先にサブスクリプションを登録し (subscription-manager register)、--byos-registered を付けてください',
      },
    ),
  ];
}

function checkEndOfLife(facts: SupportFacts, subject: string, image: SupportedImage, rules: SupportRules): Finding[] {
  const end = endOfLifeOf(image, rules);
  if (end === undefined || facts.date === undefined || facts.date <= end.endOfLife) return [];
  return [endOfLifeFinding(subject, end.what, end.endOfLife)];
}

function endOfLifeFinding(subject: string, what: string, day: string): Finding {
  return found(
    'refuse',
    'REQ-035',
    subject,
    {
      en: `${what} reached its publisher's end of life on ${day}; support does not go beyond it`,
      ja: `${what} は ${day} に発行元のサポートが終了しました。サポートはその日を超えて延長されません`,
    },
    {
      en: 'move to a release that its publisher supports, or let the operator add the image to [[images]] with a reason',
      ja: '発行元がサポートするリリースに移行するか、運用者が理由を付けて [[images]] に追加してください',
    },
  );
}

function checkGeneration(facts: SupportFacts, subject: string, image: SupportedImage): Finding[] {
  if (facts.generation === undefined || facts.generation === image.generation) return [];
  return [
    found(
      'refuse',
      'REQ-015',
      subject,
      {
        en: `the image is for generation ${image.generation} VMs and the VM is generation ${facts.generation}`,
        ja: `イメージは世代 ${image.generation} の VM 用ですが、VM の世代は ${facts.generation} です`,
      },
      {
        en: `use the image's ${facts.generation} sibling, or a VM of generation ${image.generation}; both generations are supported`,
        ja: `${facts.generation} 用の対応するイメージか、世代 ${image.generation} の VM を使ってください。どちらの世代もサポートされています`,
      },
    ),
  ];
}
