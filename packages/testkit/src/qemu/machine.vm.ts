import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { SecretBytes } from '@kannuki/core';
import { writeFat } from '@kannuki/formats';
import { Host, keyVolumeSerial } from '@kannuki/host';
import { labKernelArguments } from './lab-host.ts';
import { bootLabMachine } from './lab-machine.ts';

const key = `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${keyVolumeSerial}`;
const data = '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_data0';

test('a machine boots by its own boot loader, is given keys and disks, loses its power, and is found again', async (t) => {
  using passphrase = SecretBytes.take(Buffer.from('k'.repeat(172)));
  using keyVolume = writeFat({
    label: 'BEK VOLUME',
    volumeId: '4B4E-4B31',
    files: [{ name: 'LinuxPassPhraseFileName', content: passphrase }],
  });
  const before = Date.now();
  await using vm = await bootLabMachine({
    name: 'machine',
    dataDisks: [{ sizeBytes: 64 * 1024 * 1024 }],
    keyVolume,
    keptProvision: { 'server-url': 'https://10.0.2.2:1' },
    provision: { 'join-token': 'one-time' },
  });
  const { accelerator } = await vm.status();
  t.diagnostic(`image and first boot with ${accelerator}: ${((Date.now() - before) / 1000).toFixed(1)} s`);

  await t.test('it is what the image says, and knows what it was told', async () => {
    assert.match(await vm.read('cat /proc/cmdline'), /^BOOT_IMAGE=\/vmlinuz /);
    assert.equal(await vm.read('findmnt -n -o FSTYPE /boot'), 'ext4');
    assert.equal(await vm.read('hostname'), vm.name);
    assert.equal(await vm.read('cat /run/kannuki/provision/join-token'), 'one-time');
    assert.equal(
      await vm.read('stat -c %a:%U:%T /run/kannuki/provision/join-token; stat -f -c %T /run'),
      '400:root:0\ntmpfs',
    );
    assert.equal(await vm.read('systemctl --failed --no-legend --plain'), '');
    assert.equal(await vm.read('systemctl is-enabled kannuki-agent.service'), 'enabled');
    assert.match(await vm.read('kannuki --version'), /^\d+\.\d+\.\d+/);
  });

  await t.test('an image of the same inputs is not built again', async () => {
    const [image] = await vm.host.listImages();
    assert.ok(image);
    const again = await vm.host.buildImage(image.name, { kernelArguments: labKernelArguments });
    assert.deepEqual(again, image);
  });

  await t.test('the key volume is there, read-only, with its content, and gone after the detach', async () => {
    assert.equal(await vm.read(`blkid -s LABEL -o value ${key}`), 'BEK VOLUME');
    assert.equal(await vm.read(`blockdev --getro ${key}`), '1');
    const hash = createHash('sha256').update(keyVolume.bytes).digest('hex');
    assert.equal(await vm.read(`sha256sum <${key}`), `${hash}  -`);
    await vm.ssh(`mkdir -p /mnt/key && mount -o ro ${key} /mnt/key`);
    assert.equal(await vm.read('cat /mnt/key/LinuxPassPhraseFileName'), 'k'.repeat(172));
    await vm.ssh('umount /mnt/key');

    await vm.host.detachKeyVolume(vm.name);
    await vm.waitFor(`! test -e ${key}`, 30);
    await vm.host.attachKeyVolume(vm.name, keyVolume);
    await vm.waitFor(`test -e ${key}`, 30);
    await vm.host.detachKeyVolume(vm.name);
    await vm.waitFor(`! test -e ${key}`, 30);
  });

  await t.test('data disks: content on this host, hot-plug both ways, sectors as on Azure', async () => {
    assert.equal(await vm.read(`lsblk -dnro PHY-SEC,LOG-SEC,DISC-MAX ${data} | cut -d' ' -f1,2`), '4096 512');
    await vm.ssh(`printf 'written by the VM' | dd of=${data} bs=512 count=1 conv=sync,fsync status=none`);
    assert.equal(await vm.diskContains('data0', Buffer.from('written by the VM')), true);
    await vm.host.attachDataDisk(vm.name, { sizeBytes: 1024 * 1024, serial: 'late' });
    await vm.waitFor('test -e /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_late', 30);
    await vm.host.detachDataDisk(vm.name, 'late', { remove: true });
    await vm.waitFor('! test -e /dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_late', 30);
  });

  await t.test('power cut: what was synced is there at the next boot, what was told once is not', async () => {
    await vm.ssh('echo kept >/root/kept && sync');
    await vm.powerCut();
    assert.equal((await vm.status()).power, 'stopped');
    const seconds = await vm.boot();
    t.diagnostic(`boot until ssh answers with ${accelerator}: ${seconds.toFixed(1)} s`);
    assert.equal(await vm.read('cat /root/kept'), 'kept');
    assert.equal(await vm.read('ls /run/kannuki/provision'), 'authorized-keys\nhost-name\nserver-url');
  });

  await t.test('another process finds the machine and shuts it down', async () => {
    const other = new Host({ dataDirectory: vm.host.dataDirectory });
    assert.equal((await other.status(vm.name)).processId, (await vm.status()).processId);
    const stopping = Date.now();
    assert.equal(await other.stop(vm.name, { timeoutSeconds: 120 }), 'graceful');
    t.diagnostic(`shutdown: ${((Date.now() - stopping) / 1000).toFixed(1)} s`);
    assert.match(await vm.consoleText(), /Power down|reboot: Power/);
  });
});
