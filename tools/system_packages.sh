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
# The same browser without a window: pages are tested in it with a third of the work, and in the other where there is none.
lighter="chromium-headless-shell"
absent() {
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || printf ' %s' "$package"
    done
}
missing=$(absent $packages)
wished=$(absent $lighter)
[ -z "$missing$wished" ] && exit 0
echo "Installing for the tests:$missing$wished"
if [ "$(id -u)" = 0 ]; then run=""; elif command -v sudo >/dev/null 2>&1; then run="sudo"; else
    [ -z "$missing" ] && exit 0
    echo "Neither root nor sudo. Ask an administrator for: apt-get install$missing" >&2
    exit 2
fi
# The tests start their own database server in a temporary folder; Debian's need not run.
$run mkdir -p /etc/postgresql-common/createcluster.d
echo "create_main_cluster = false" | $run tee /etc/postgresql-common/createcluster.d/shimawa-tests.conf >/dev/null
$run apt-get update -q || [ -z "$missing" ]
install="env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends"
[ -z "$missing" ] || $run $install $missing
[ -z "$wished" ] || $run $install $wished || echo "Not to be had here, and not needed:$wished"
