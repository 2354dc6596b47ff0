# shellcheck shell=bash
# Debian's packages: installed only when missing.

apt_run() { DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq "$@"; }

# shellcheck disable=SC2120 # called through `step`
# Some other source that cannot be reached must not stop this; what is really
# missing shows at the installation.
apt_update() { apt_run update "$@" || echo "apt-get update: not all sources could be read"; }

installed() {
    local name
    for name in "$@"; do
        # shellcheck disable=SC2016
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || return 1
    done
}

apt_install() {
    apt_run install -y --no-install-recommends "$@" && return
    echo "once more, with fresh lists"
    apt_update
    apt_run install -y --no-install-recommends "$@"
}

need_packages() { # need_packages WHAT-FOR PACKAGE…
    local purpose=$1 name
    local missing=()
    shift
    for name in "$@"; do
        installed "${name%%/*}" || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    step "installing for $purpose: ${missing[*]}" apt_install "${missing[@]}" ||
        die "these packages are needed and could not be installed"
}

# The address of the distribution's own archive, as this machine's apt is configured
archive_mirror() {
    local codename
    codename=$(os_field VERSION_CODENAME)
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(ORIGIN)|$(CODENAME)|$(COMPONENT)|$(REPO_URI)' \
        'Created-By: Packages' | awk -F'|' -v codename="$codename" \
        '$1 == "Debian" && $2 == codename && $3 == "main" && !found++ { print $4 }'
}

need_archive_mirror() { # sets MIRROR
    MIRROR=$(archive_mirror)
    [ -n "$MIRROR" ] && return
    step "reading apt's package lists" apt_update || true
    MIRROR=$(archive_mirror)
    [ -n "$MIRROR" ] || die "apt's configuration names no archive of this Debian release"
}

archive_source() { # archive_source SUITE: the line for apt's sources
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg option=
    [ ! -r "$keyring" ] || option="[signed-by=$keyring] "
    printf 'deb %s%s %s main\n' "$option" "$MIRROR" "$1"
}
