#!/usr/bin/env bash
# Builds the board's kernel and device tree from Debian's own kernel source, once: the folder is
# named by what went in, and kept. A build that was interrupted goes on where it was.
#
#   kernel.sh CACHE          builds it if it is not there; the last line is the folder
#   kernel.sh CACHE --cached the folder if it is there, else status 4
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
source_version=$(apt-cache policy linux-source-6.1 | awk '/Candidate/ { print $2 }')
[ -n "$source_version" ] || { echo "no linux-source-6.1 (Debian 12, apt-get update?)" >&2; exit 3; }
key=$(cat "$here/zynq.config" "$here/gateway-7045.dts" <(echo "$source_version") | sha256sum | cut -c1-16)
out=$cache/kernel-$key
if [ ! -f "$out/complete" ]; then
  [ "${2:-}" != --cached ] || exit 4
  work=$cache/kernel-work-$key
  mkdir -p "$work/o" "$out"
  cd "$work"
  if [ ! -f unpacked ]; then
    apt-get -qq -o APT::Sandbox::User=root download "linux-source-6.1=$source_version"
    dpkg --fsys-tarfile linux-source-6.1_*.deb | tar -x ./usr/src/linux-source-6.1.tar.xz
    tar xJf usr/src/linux-source-6.1.tar.xz --exclude='*/drivers/gpu/drm/amd/include' --exclude='*/tools/testing'
    rm -rf usr linux-source-6.1_*.deb
    touch unpacked
  fi
  cd linux-source-6.1
  export ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-
  [ -f ../o/.config ] || KCONFIG_ALLCONFIG=$here/zynq.config make O=../o -s allnoconfig
  make O=../o -j"$(nproc)" -s zImage
  cp ../o/arch/arm/boot/zImage "$out/"
  arm-linux-gnueabihf-cpp -nostdinc -I arch/arm/boot/dts -I include -undef -x assembler-with-cpp -D__DTS__ \
    "$here/gateway-7045.dts" | dtc -q -I dts -O dtb -o "$out/gateway-7045.dtb" -
  touch "$out/complete"
  cd / && rm -rf "$work"
  echo "kernel of $source_version built in $SECONDS s"
fi
echo "$out"
