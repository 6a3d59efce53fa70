import { join } from 'node:path';
import { imageLayout, type Layout } from './layout.ts';

/** What an image is made of. Everything in here goes into the hash of its inputs. */
export interface Recipe {
  readonly name: string;
  readonly urn: string;
  readonly suite: string;
  readonly architecture: string;
  /** One-line sources of apt, security fixes included. */
  readonly sources: readonly string[];
  readonly packages: readonly string[];
  readonly layout: Layout;
  /** Files and hooks of this recipe. */
  readonly folder: string;
  /** Fixed arguments of the kernel; `ImageOptions.kernelArguments` come after them. */
  readonly kernelArguments: readonly string[];
}

const debian12: Recipe = {
  name: 'debian-12',
  urn: 'Debian:debian-12:12:latest',
  suite: 'bookworm',
  architecture: 'amd64',
  sources: [
    'deb http://deb.debian.org/debian bookworm main',
    'deb http://deb.debian.org/debian bookworm-updates main',
    'deb http://deb.debian.org/debian-security bookworm-security main',
  ],
  packages: [
    'ca-certificates',
    'cryptsetup',
    'cryptsetup-bin',
    'dbus', // logind needs it to hear the power button
    'dosfstools',
    'e2fsprogs',
    'grub-pc-bin',
    'grub2-common',
    'initramfs-tools',
    'iproute2',
    'kmod',
    'libstdc++6', // Node
    'linux-image-cloud-amd64',
    'openssh-server',
    'psmisc',
    'systemd',
    'systemd-sysv',
    'udev',
    'util-linux',
    'xfsprogs',
    'zstd', // packs the initramfs
  ],
  layout: imageLayout(256, 1536),
  folder: join(import.meta.dirname, 'debian-12'),
  kernelArguments: ['console=ttyS0,115200'],
};

/** The images that this version knows how to build. */
export const recipes: readonly Recipe[] = [debian12];

export function findRecipe(name: string): Recipe | undefined {
  return recipes.find((recipe) => recipe.name === name);
}
