import type { Guest } from './guest.ts';

/** Stands in every file and is looked for on the raw disk. */
export const canary = 'KANNUKI-QUICKSTART-PLAINTEXT-7d20';

export const mountPoint = '/data0';
const manifest = '/root/manifest.sha256';

/** Fills the disk with files that all hold the canary, and keeps their checksums on the OS disk. */
const fillScript = `#!/bin/sh
set -eu
disk=$1 megabytes=$2
mkfs.ext4 -q -b 4096 -E lazy_itable_init=0,lazy_journal_init=0 "$disk"
mkdir -p ${mountPoint}
uuid=$(blkid -p -o value -s UUID "$disk")
echo "UUID=$uuid ${mountPoint} ext4 defaults,nofail 0 2" >>/etc/fstab
systemctl daemon-reload
mount ${mountPoint}
mkdir ${mountPoint}/files
index=0
while [ "$index" -lt "$megabytes" ]; do
  { yes '${canary}' | head -c 524288 || true; head -c 524288 /dev/urandom; } >"${mountPoint}/files/f$index"
  index=$((index + 1))
done
sync
cd ${mountPoint}/files && sha256sum f* >${manifest}
`;

/**
 * A program that goes on writing, as a systemd service that keeps a file open all the time. A file counts once it is fsynced: then its
 * checksum goes to the OS disk.
 */
const writerScript = `#!/bin/sh
set -eu
mkdir -p ${mountPoint}/new
exec 9>>${mountPoint}/new/open.log
count=$(ls ${mountPoint}/new | wc -l)
while true; do
  name=w$count
  { head -c 8192 /dev/urandom; echo '${canary}'; } >${mountPoint}/new/$name.tmp
  sync ${mountPoint}/new/$name.tmp
  mv ${mountPoint}/new/$name.tmp ${mountPoint}/new/$name
  sync ${mountPoint}/new
  (cd ${mountPoint}/new && sha256sum $name) >>/root/written.sha256
  echo "$name" >&9
  count=$((count + 1))
  sleep 0.2
done
`;

const writerUnit = `[Unit]
Description=Program of the quickstart that goes on writing
RequiresMountsFor=${mountPoint}
[Service]
ExecStart=/usr/local/bin/quickstart-writer
`;

/** Everything that was promised is compared; prints "verified damaged". */
const verifyScript = `#!/bin/sh
verified=0 damaged=0
check() {
  lines=$(cd "$1" && sha256sum -c "$2" 2>/dev/null)
  verified=$((verified + $(printf '%s\\n' "$lines" | grep -c ': OK$')))
  damaged=$((damaged + $(printf '%s\\n' "$lines" | grep -vc ': OK$')))
}
check ${mountPoint}/files ${manifest}
check ${mountPoint}/new /root/written.sha256
echo "$verified $damaged"
`;

export async function fillDisk(guest: Guest, disk: string, megabytes: number): Promise<void> {
  await guest.write('/usr/local/bin/quickstart-fill', fillScript);
  await guest.write('/usr/local/bin/quickstart-verify', verifyScript);
  await guest.run(`quickstart-fill ${disk} ${megabytes}`, 900);
}

export async function startWriter(guest: Guest): Promise<void> {
  await guest.write('/usr/local/bin/quickstart-writer', writerScript);
  await guest.write('/etc/systemd/system/quickstart-writer.service', writerUnit);
  await guest.run('systemctl daemon-reload && systemctl start quickstart-writer');
}

export async function filesWritten(guest: Guest): Promise<number> {
  return Number((await guest.run('wc -l </root/written.sha256')).trim());
}

export async function stopWriter(guest: Guest): Promise<void> {
  await guest.run('systemctl stop quickstart-writer && sync');
}

export async function verifyFiles(guest: Guest): Promise<{ readonly verified: number; readonly damaged: number }> {
  const [verified = Number.NaN, damaged = Number.NaN] = (await guest.run('quickstart-verify', 900))
    .trim()
    .split(' ')
    .map(Number);
  if (!Number.isSafeInteger(verified) || !Number.isSafeInteger(damaged))
    throw new Error('the files could not be compared');
  return { verified, damaged };
}
