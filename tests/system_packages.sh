#!/bin/sh
# Installs the programs that some tests drive (Chromium), where this may: as root on Debian. Elsewhere those tests are skipped.
set -u
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Chromium for the tests of pages"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends chromium; } >/dev/null 2>&1 ||
        echo "Chromium could not be installed; its tests will be skipped"
else
    echo "No Chromium, and no right to install it; its tests will be skipped"
fi
exit 0
