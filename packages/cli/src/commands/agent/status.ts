import { AgentStore } from '@kannuki/guest';
import { defineCommand } from '../../program/command.ts';

export const command = defineCommand({
  description: {
    en: 'Which server this VM has joined, how long its certificate lasts, and which goal it took last. For the volumes see `kannuki disk list`.',
    ja: 'この VM が参加しているサーバー、証明書の有効期限、最後に受け取った目標を表示します。ボリュームは `kannuki disk list` を参照してください。',
  },
  options: {},
  examples: [{ line: 'kannuki agent status -o json', does: { en: 'for a script', ja: 'スクリプト用' } }],
  async run() {
    const store = new AgentStore();
    const { membership, identity } = await store.requireMember();
    using _pem = identity.pem;
    const goal = await store.goal();
    return {
      data: {
        server: membership.serverUrl,
        vmId: membership.vmId,
        certificateExpires: identity.certificate.validToDate.toISOString(),
        goalGeneration: goal?.generation ?? 0,
        targets: goal?.volumes.map(({ target }) => target) ?? [],
      },
    };
  },
});
