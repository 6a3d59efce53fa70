import type { Finding } from '@kannuki/core';
import type { SupportFacts } from '../facts.ts';
import type { SupportRules } from '../rules/rules.ts';
import { found } from './finding.ts';

/** Are VM, vault and subscription where they have to be? REQ-012, REQ-061, REQ-062, REQ-063. */
export function checkPlace(facts: SupportFacts, rules: SupportRules): Finding[] {
  return [
    ...checkSubscriptionState(facts, rules),
    ...checkRegionIsKnown(facts, rules),
    ...checkVaultGiven(facts),
    ...checkSameRegion(facts),
    ...checkSameSubscription(facts),
  ];
}

function checkSubscriptionState(facts: SupportFacts, rules: SupportRules): Finding[] {
  const state = facts.subscriptionState;
  const is = (names: readonly string[]): boolean => names.some((name) => name.toLowerCase() === state?.toLowerCase());
  const { usable, ending } = rules.subscriptionStates;
  if (state === undefined || is(usable)) return [];
  const subject = facts.vmSubscription ?? 'subscription';
  return [
    found(
      is(ending) ? 'warn' : 'refuse',
      'REQ-012',
      subject,
      {
        en: `the subscription is ${state}; an active one is needed`,
        ja: `サブスクリプションの状態は ${state} です。有効なアクティブ サブスクリプションが必要です`,
      },
      {
        en: 'renew the subscription, or use another one',
        ja: 'サブスクリプションを更新するか、別のものを使ってください',
      },
    ),
  ];
}

function checkRegionIsKnown(facts: SupportFacts, rules: SupportRules): Finding[] {
  const region = facts.vmRegion;
  if (region === undefined || rules.regions.some((one) => plainRegion(one.name) === plainRegion(region))) return [];
  return [
    found(
      'refuse',
      'REQ-012',
      region,
      { en: `the region "${region}" is unknown`, ja: `リージョン "${region}" は不明です` },
      {
        en: 'use a supported region, or let the operator add this one to regions in the configuration',
        ja: 'サポートされているリージョンを使うか、運用者が設定の regions に追加してください',
      },
    ),
  ];
}

function checkVaultGiven(facts: SupportFacts): Finding[] {
  if (facts.vaultGiven !== false) return [];
  return [
    found(
      'refuse',
      'REQ-061',
      'key vault',
      { en: 'a key vault is required and none was named', ja: 'キー コンテナーが必要ですが、指定されていません' },
      {
        en: 'create one that is enabled for disk encryption and name it',
        ja: 'ディスク暗号化を有効にしたキー コンテナーを作成し、指定してください',
      },
    ),
  ];
}

function checkSameRegion(facts: SupportFacts): Finding[] {
  const { vmRegion, vaultRegion } = facts;
  if (vmRegion === undefined || vaultRegion === undefined) return [];
  if (plainRegion(vmRegion) === plainRegion(vaultRegion)) return [];
  return [
    found(
      'refuse',
      'REQ-062',
      vaultRegion,
      {
        en: `the key vault is in region ${vaultRegion} and the VM in ${vmRegion}; both must be in one region`,
        ja: `キー コンテナーのリージョンは ${vaultRegion}、VM のリージョンは ${vmRegion} です。同じリージョンに存在する必要があります`,
      },
      { en: `use a key vault in ${vmRegion}`, ja: `${vmRegion} のキー コンテナーを使ってください` },
    ),
  ];
}

function checkSameSubscription(facts: SupportFacts): Finding[] {
  const { vmSubscription, vaultSubscription } = facts;
  if (vmSubscription === undefined || vaultSubscription === undefined) return [];
  if (plainSubscription(vmSubscription) === plainSubscription(vaultSubscription)) return [];
  return [
    found(
      'refuse',
      'REQ-063',
      vaultSubscription,
      {
        en: `the key vault is in subscription ${vaultSubscription} and the VM in ${vmSubscription}; both must be in one subscription`,
        ja: `キー コンテナーのサブスクリプションは ${vaultSubscription}、VM のサブスクリプションは ${vmSubscription} です。同じサブスクリプションに存在する必要があります`,
      },
      { en: `use a key vault in ${vmSubscription}`, ja: `${vmSubscription} のキー コンテナーを使ってください` },
    ),
  ];
}

/** `West US 2` and `westus2` are one region: letter case and spaces do not count. */
function plainRegion(region: string): string {
  return region.replace(/\s/g, '').toLowerCase();
}

/** With or without `/subscriptions/` in front; GUIDs ignore letter case. */
function plainSubscription(subscription: string): string {
  return subscription
    .trim()
    .toLowerCase()
    .replace(/^\/subscriptions\//, '')
    .replace(/\/$/, '');
}
