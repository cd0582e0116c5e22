#!/bin/sh
# The Debian packages that the tests need: sound server and PortAudio, a browser, Japanese fonts, network tools, PostgreSQL, a relay,
# false clocks and slow disks.
set -eu
packages="libportaudio2 libasound2-plugins pulseaudio pulseaudio-utils chromium fonts-noto-cjk nftables iproute2 postgresql-15 coturn faketime strace"

if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "The tests need these programs, and this is not Debian or Ubuntu: $packages" >&2
    echo "Install what matches them here, then: mkdir -p build && touch build/.system" >&2
    exit 2
fi
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
echo "Installing for the tests:$missing"
if [ "$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null 2>&1; then run="sudo"; else
    echo "Neither root nor sudo. Ask an administrator for: apt-get install$missing" >&2
    exit 2
fi
# The tests start their own database server in a temporary folder; Debian's need not run.
$run mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" | $run tee /etc/postgresql-common/createcluster.d/shimawa-tests.conf >/dev/null
$run apt-get update -q
DEBIAN_FRONTEND=noninteractive $run apt-get install -q -y --no-install-recommends $missing
