#!/usr/bin/env bash
# Builds the board's kernel and device tree from Debian's own kernel source, once: the folder is
# named by what went in, and kept.
set -euo pipefail
cache=$1
here=$(cd "$(dirname "$0")" && pwd)
source_version=$(apt-cache policy linux-source-6.1 | awk '/Candidate/ { print $2 }')
key=$(cat "$here/zynq.config" "$here/gateway-7045.dts" <(echo "$source_version") | sha256sum | cut -c1-16)
out=$cache/kernel-$key
if [ ! -f "$out/complete" ]; then
  work=$cache/kernel-work
  rm -rf "$work" && mkdir -p "$work/o" "$out"
  cd "$work"
  apt-get -qq download linux-source-6.1
  dpkg --fsys-tarfile linux-source-6.1_*.deb | tar -x ./usr/src/linux-source-6.1.tar.xz
  tar xJf usr/src/linux-source-6.1.tar.xz --exclude='*/drivers/gpu/drm/amd/include' --exclude='*/tools/testing'
  cd linux-source-6.1
  export ARCH=arm CROSS_COMPILE=arm-linux-gnueabihf-
  KCONFIG_ALLCONFIG=$here/zynq.config make O=../o -s allnoconfig
  make O=../o -j"$(nproc)" -s zImage
  cp ../o/arch/arm/boot/zImage "$out/"
  arm-linux-gnueabihf-cpp -nostdinc -I arch/arm/boot/dts -I include -undef -x assembler-with-cpp -D__DTS__ \
    "$here/gateway-7045.dts" | dtc -q -I dts -O dtb -o "$out/gateway-7045.dtb" -
  cd / && rm -rf "$work"
  touch "$out/complete"
fi
echo "$out"
