import type { CatalogueEntry } from './entry.ts';

/** Errors with the prefix KNK-HST: images, machines and key volumes on a host. */
export const hostErrors = {
  'KNK-HST-0001': {
    exit: 'notFound',
    http: 404,
    message: { en: 'there is no VM {name} on this host', ja: 'VM {name} はこのホストにありません' },
    remedy: { en: 'list the VMs with: kannuki vm list', ja: 'kannuki vm list で VM の一覧を確認してください' },
  },
  'KNK-HST-0002': {
    exit: 'failed',
    http: 409,
    message: { en: 'a VM {name} is on this host already', ja: 'VM {name} はこのホストに既に存在します' },
    remedy: { en: 'choose another name or delete that VM', ja: '別の名前を指定するか、その VM を削除してください' },
  },
  'KNK-HST-0003': {
    exit: 'notFound',
    http: 404,
    message: { en: 'there is no image {name} on this host', ja: 'イメージ {name} はこのホストにありません' },
    remedy: { en: 'build it with: kannuki image build {name}', ja: 'kannuki image build {name} で作成してください' },
  },
  'KNK-HST-0004': {
    exit: 'failed',
    http: 409,
    message: { en: 'VM {name} is running', ja: 'VM {name} は実行中です' },
    remedy: { en: 'stop it first: kannuki vm stop', ja: '先に kannuki vm stop で停止してください' },
  },
  'KNK-HST-0005': {
    exit: 'failed',
    http: 409,
    message: { en: 'VM {name} is not running', ja: 'VM {name} は実行されていません' },
    remedy: { en: 'start it first: kannuki vm start', ja: '先に kannuki vm start で起動してください' },
  },
  'KNK-HST-0006': {
    exit: 'failed',
    http: 500,
    message: { en: 'QEMU did not start VM {name}: {detail}', ja: 'QEMU が VM {name} を起動できませんでした: {detail}' },
    remedy: {
      en: 'read {log}; often memory is short or a disk file is missing',
      ja: '{log} を確認してください。メモリ不足やディスクファイルの欠落がよくある原因です',
    },
  },
  'KNK-HST-0007': {
    exit: 'failed',
    http: 500,
    message: { en: 'QEMU refused {command}: {detail}', ja: 'QEMU が {command} を拒否しました: {detail}' },
    remedy: {
      en: 'look at the state of the VM, then try again',
      ja: 'VM の状態を確認してから再試行してください',
    },
  },
  'KNK-HST-0008': {
    exit: 'tryAgain',
    http: 503,
    message: {
      en: 'QEMU gave no answer to {command} within {seconds} s',
      ja: 'QEMU が {seconds} 秒以内に {command} に応答しませんでした',
    },
    remedy: {
      en: 'the host may be short of processor time, or another program holds the monitor; try again',
      ja: 'ホストの CPU 不足か、他のプログラムがモニターを使用している可能性があります。再試行してください',
    },
  },
  'KNK-HST-0009': {
    exit: 'failed',
    http: 500,
    message: { en: 'the image could not be built: {detail}', ja: 'イメージを作成できませんでした: {detail}' },
    remedy: {
      en: 'check the network and the free space of the data directory, then build again; nothing half-made is left',
      ja: 'ネットワークとデータディレクトリの空き容量を確認し、再度作成してください。作りかけのファイルは残っていません',
    },
  },
  'KNK-HST-0010': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'programs are missing on this host: {programs}',
      ja: 'このホストにプログラムがありません: {programs}',
    },
    remedy: {
      en: 'install them: apt-get install {packages}',
      ja: '次の方法で導入してください: apt-get install {packages}',
    },
  },
  'KNK-HST-0011': {
    exit: 'usage',
    http: 400,
    message: { en: '{field} is not acceptable: {detail}', ja: '{field} の値が正しくありません: {detail}' },
    remedy: { en: 'change {field}', ja: '{field} を修正してください' },
  },
  'KNK-HST-0012': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'there is no memory-only place for a key volume: {detail}',
      ja: 'キーボリュームをメモリだけに置ける場所がありません: {detail}',
    },
    remedy: {
      en: 'mount a tmpfs at /dev/shm with room for it; a key volume is never put on a disk',
      ja: '/dev/shm に十分な容量の tmpfs をマウントしてください。キーボリュームをディスクに置くことはありません',
    },
  },
  'KNK-HST-0013': {
    exit: 'failed',
    http: 409,
    message: {
      en: 'a key volume is attached to VM {name} already',
      ja: 'VM {name} には既にキーボリュームが接続されています',
    },
    remedy: { en: 'detach it first', ja: '先に切り離してください' },
  },
  'KNK-HST-0014': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'the agent that goes into the image is missing: {path}',
      ja: 'イメージに入れるエージェントがありません: {path}',
    },
    remedy: { en: 'run: npm ci && npm run build', ja: 'npm ci && npm run build を実行してください' },
  },
  'KNK-HST-0015': {
    exit: 'failed',
    http: 500,
    message: { en: '{path} is damaged: {detail}', ja: '{path} が壊れています: {detail}' },
    remedy: {
      en: 'restore the file from a backup, or delete the VM or image it belongs to',
      ja: 'バックアップから復元するか、対応する VM またはイメージを削除してください',
    },
  },
  'KNK-HST-0016': {
    exit: 'failed',
    http: 500,
    message: {
      en: 'VM {name} still runs {seconds} s after its power was cut',
      ja: 'VM {name} は電源切断から {seconds} 秒後もまだ実行中です',
    },
    remedy: {
      en: 'its process waits in the kernel, often for a disk that does not answer; look at process {pid}',
      ja: 'プロセスがカーネル内で (多くは応答しないディスクを) 待っています。プロセス {pid} を確認してください',
    },
  },
  'KNK-HST-0017': {
    exit: 'notFound',
    http: 404,
    message: { en: 'VM {name} has no data disk {serial}', ja: 'VM {name} にデータディスク {serial} はありません' },
    remedy: { en: 'look at the list of its disks', ja: 'ディスクの一覧を確認してください' },
  },
} as const satisfies Record<string, CatalogueEntry>;
