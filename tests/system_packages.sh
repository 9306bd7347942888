#!/bin/sh
# Installs what some tests drive (Chromium, PostgreSQL, the dictionary WordNet), where this may: as root on Debian. Elsewhere those
# tests are skipped.
set -u
wanted=
command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 || wanted="$wanted chromium"
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || wanted="$wanted postgresql"
[ -d /usr/share/wordnet ] || wanted="$wanted wordnet-base"
[ -z "$wanted" ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing what some tests drive:$wanted"
    export DEBIAN_FRONTEND=noninteractive
    case "$wanted" in *postgresql*) # the tests start servers of their own: none is started for the package
        mkdir -p /etc/postgresql-common
        echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.conf ;;
    esac
    # shellcheck disable=SC2086
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends -o Dpkg::Options::=--force-confold $wanted; } >/dev/null 2>&1 ||
        echo "Could not be installed:$wanted; the tests that drive them will be skipped"
else
    echo "Not there, and no right to install:$wanted; the tests that drive them will be skipped"
fi
exit 0
