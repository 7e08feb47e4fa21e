#!/bin/sh
# Installs the Debian packages that tests and the demo need, and nothing that is there already:
#   PostgreSQL and RabbitMQ, and the packages named as arguments (prometheus, for promtool).
#
# Packages only. No service is started or enabled, no running service is touched, no database cluster is made:
#   - /usr/sbin/policy-rc.d (the machine's switch for "do not start services") is there during the installation only;
#   - the units of packages that this run installed are disabled, so that the next boot does not start them either;
#   - postgresql-15 would make and later start a cluster named main. Its one documented switch is a line in
#     /etc/postgresql-common/createcluster.conf, so that file is there before the server is installed, has the line
#     during the installation only, and is put back byte for byte.
#
# Usage: deploy/packages.sh [package ...]        Quick, and without any right, when nothing is missing.
set -eu

POLICY=/usr/sbin/policy-rc.d
CLUSTER_CONF=/etc/postgresql-common/createcluster.conf
# Names in /usr/sbin are not on an ordinary user's search path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "packages: $*"
    exit 1
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

has_postgres() {
    for program in /usr/lib/postgresql/*/bin/initdb; do
        if [ -x "$program" ]; then
            return 0
        fi
    done
    command -v initdb >/dev/null
}

# The server package of this release of Debian: postgresql-15 on Debian 12.
postgres_package() {
    name=$(apt-cache depends postgresql 2>/dev/null | sed -n 's/^ *Depends: \(postgresql-[0-9]*\)$/\1/p' | head -n 1)
    printf '%s\n' "${name:-postgresql-15}"
}

# Prints what is missing, one package for each line.
missing() {
    has_postgres || postgres_package
    [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || command -v rabbitmq-server >/dev/null || echo rabbitmq-server
    command -v cc >/dev/null || printf '%s\n' gcc libc6-dev
    for package in "$@"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

# Becomes root where that needs no password; else says what to run.
require_root() {
    if [ "$(id -u)" = 0 ]; then
        return
    fi
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        exec sudo -n sh "$script" "$@"
    fi
    say "packages: these packages are missing: $(echo $wanted)"
    say "Run this as root (it installs packages only, and starts no service):"
    say "    sh $script $*"
    say "or, where services may start:"
    say "    apt-get update"
    say "    apt-get install --no-install-recommends $(echo $wanted)"
    exit 1
}

put_back() {
    if [ -n "${our_policy:-}" ]; then
        rm -f "$POLICY"
    fi
    if [ -n "${conf_copy:-}" ]; then
        cp -p "$conf_copy" "$CLUSTER_CONF"
        rm -f "$conf_copy"
    fi
}

forbid_service_starts() {
    if [ ! -e "$POLICY" ]; then
        our_policy=yes
        printf '#!/bin/sh\n# Put here by deploy/packages.sh for the time of an installation.\nexit 101\n' >"$POLICY"
        chmod 755 "$POLICY"
    fi
    status=0
    "$POLICY" rabbitmq-server start >/dev/null 2>&1 || status=$?
    [ "$status" = 101 ] || fail "$POLICY of this machine allows services to start: install $(echo $wanted) by hand"
}

forbid_main_cluster() {
    install_packages postgresql-common
    if ! grep -q '^[[:space:]]*create_main_cluster' "$CLUSTER_CONF"; then
        conf_copy=$(mktemp)
        cp -p "$CLUSTER_CONF" "$conf_copy"
        echo 'create_main_cluster = false' >>"$CLUSTER_CONF"
    fi
}

install_packages() {
    apt-get install --yes --quiet --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >&2
}

installed_packages() {
    dpkg-query --show --showformat='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort
}

# Installing a service also enables it. What this run brought in is disabled again.
disable_new_services() {
    installed_packages | comm -13 "$before" - | while read -r package; do
        dpkg-query --listfiles "$package" | sed -n 's|^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.[a-z]*\)$|\2|p' |
            while read -r unit; do
                # It works for packages only, and wants to be told for which.
                DPKG_MAINTSCRIPT_PACKAGE=$package deb-systemd-helper disable "$unit" >/dev/null 2>&1 || true
            done
        dpkg-query --listfiles "$package" | sed -n 's|^/etc/init\.d/||p' | while read -r service; do
            update-rc.d "$service" disable >/dev/null 2>&1 || true
        done
    done
}

script=$(cd "$(dirname "$0")" && pwd)/$(basename "$0")
command -v dpkg-query >/dev/null && command -v apt-get >/dev/null ||
    fail "this needs Debian's package manager; elsewhere install PostgreSQL 15 and RabbitMQ 3.10 or newer by hand"
wanted=$(missing "$@")
if [ -z "$wanted" ]; then
    exit 0
fi
require_root "$@"

before=$(mktemp)
trap 'put_back; rm -f "$before"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
say "packages: installing $(echo $wanted)"
installed_packages >"$before"
apt-get update --quiet -o DPkg::Lock::Timeout=300 >&2
# The lists are fresh only now, so the name of the server package is looked up again.
wanted=$(missing "$@")
forbid_service_starts
case "$wanted" in
*postgresql-[0-9]*) forbid_main_cluster ;;
esac
# shellcheck disable=SC2086
install_packages $wanted
disable_new_services
still=$(missing "$@")
[ -z "$still" ] || fail "still missing after the installation: $(echo $still)"
