#!/usr/bin/env bash
# Unpacks Debian's own Rust compiler and the matching standard library for ARMv7 into one private
# folder. Nothing is installed and no foreign architecture is added to the system: apt works in a
# folder of its own, with the addresses of the machine's own sources.
set -euo pipefail
dest=$1
[ -f "$dest/complete" ] && exit 0
apt=$dest/apt
rm -rf "$dest"
mkdir -p "$apt"/{lists/partial,cache/archives/partial,state,sources.d,preferences.d,parts,debs}
: > "$apt/status"
keys=/usr/share/keyrings/debian-archive-keyring.gpg
site() {
  apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$1" '$1 == release { print $2; exit }'
}
main=$(site bookworm)
security=$(site bookworm-security)
[ -n "$main" ] && [ -n "$security" ] || { echo "no Debian 12 sources (apt-get update?)" >&2; exit 3; }
# Only amd64 from the security suite: one index that fails drops the whole suite.
cat > "$apt/sources.list" <<EOF
deb [arch=amd64 signed-by=$keys] $security bookworm-security main
deb [arch=armhf signed-by=$keys] $main trixie main
deb [arch=armhf,amd64 signed-by=$keys] $main bookworm main
EOF
cat > "$apt/apt.conf" <<EOF
Dir::Etc::sourcelist "$apt/sources.list";
Dir::Etc::sourceparts "$apt/sources.d";
Dir::Etc::preferencesparts "$apt/preferences.d";
Dir::Etc::parts "$apt/parts";
Dir::State "$apt/state";
Dir::State::lists "$apt/lists";
Dir::State::status "$apt/status";
Dir::Cache "$apt/cache";
APT::Architecture "amd64";
APT::Architectures { "amd64"; "armhf"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Check-Valid-Until "false";
EOF
export APT_CONFIG=$apt/apt.conf
apt-get -qq update
cd "$apt/debs"
# Compiler and library must be of the same upstream version; their Debian revisions may differ.
host=$(apt-cache madison rustc-web | awk -F'|' '/amd64/ { gsub(/ /, "", $2); print $2 }')
target=$(apt-cache policy libstd-rust-web-dev:armhf |
  awk '/^ +[0-9*]/ { print ($1 == "***") ? $2 : $1 }' | grep '+')
for h in $host; do
  for t in $target; do
    if [ "${h%%+*}" = "${t%%+*}" ]; then pair="$h $t"; break 2; fi
  done
done
[ -n "${pair:-}" ] || { echo "no matching pair of: $host / $target" >&2; exit 3; }
read -r h t <<< "$pair"
minor=$(cut -d. -f1,2 <<< "$h")
llvm=$(apt-cache show "libstd-rust-web-$minor:amd64=$h" | grep -o 'libllvm[0-9]*' | head -1)
echo "rustc-web $h, library for ARMv7 $t, $llvm"
apt-get -qq download "rustc-web=$h" "libstd-rust-web-dev:amd64=$h" "libstd-rust-web-$minor:amd64=$h" \
  "libstd-rust-web-dev:armhf=$t" "$llvm:amd64" busybox-static:armhf
for deb in *.deb; do
  case $deb in
    busybox*) dpkg -x "$deb" "$dest/busybox" ;;
    *) dpkg -x "$deb" "$dest" ;;
  esac
done
LD_LIBRARY_PATH=$dest/usr/lib/x86_64-linux-gnu "$dest/usr/bin/rustc" -V
touch "$dest/complete"
