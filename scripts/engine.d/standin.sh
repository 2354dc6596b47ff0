# shellcheck shell=bash
# Stand-ins for Amazon Linux 2023, made from Debian's packages where no image can be
# pulled. Packages are unpacked, not installed: no foreign maintainer script runs,
# which is what makes it quick, and what `finish_root` makes up for.

# No compiler, and no libgomp, which comes with one: as in the product's image. That has tzdata
# and setup, whose part netbase plays: docker-library/repo-info, amazonlinux 2023.12.20260831.0,
# read 2026-11-30. docs/targets.md lists what differs.
readonly RUNTIME_PACKAGES=base-files,base-passwd,bash,ca-certificates,coreutils,dash,\
findutils,gawk,grep,gzip,libc-bin,libstdc++6,netbase,procps,python3,python3-distutils,\
python3-venv,sed,tar,tzdata,util-linux
readonly BUILDER_PACKAGES=$RUNTIME_PACKAGES,g++,gcc,libc6-dev,make,pkg-config,python3-dev
readonly CROSS_PACKAGES=$RUNTIME_PACKAGES,g++-aarch64-linux-gnu,gcc-aarch64-linux-gnu
readonly RECIPE_LABEL=pytest-arm64.recipe
readonly IMAGE_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Of what is in the images and how they are made; comments do not count.
recipe() {
    {
        printf '%s\n' "$RUNTIME_PACKAGES" "$BUILDER_PACKAGES" "$IMAGE_PATH"
        declare -f unpack finish_root make_layers image_config
    } | sha256sum | cut -c 1-16
}

is_current() { [ "$(image_json "$1" | text_of "$RECIPE_LABEL")" = "$(recipe)" ]; }

stand_ins_current() { # stand_ins_current ARCH
    is_current "$(stand_in_name runtime "$1")" && is_current "$(stand_in_name builder "$1")"
}

provide_stand_ins() {
    local arch
    for arch in arm64 amd64; do
        if ! stand_ins_present "$arch"; then
            make_stand_ins "$arch"
        elif ! stand_ins_current "$arch"; then
            renew_stand_ins "$arch"
        fi
    done
    say "THE IMAGES HERE ARE STAND-INS: DEBIAN 12, NOT AMAZON LINUX 2023." \
        "WHAT RUNS ON THEM CERTIFIES NOTHING ABOUT AMAZON LINUX 2023"
}

# Compilers for aarch64 that are programs of an x86-64 machine, for --arm64-cross. Others do
# without, and so does what runs under emulation.
provide_cross_stand_in() {
    [ "$(engine_machine)" = x86_64 ] && ! cross_stand_in_present || return 0
    can_install && [ "$(os_field ID)" = debian ] || return 0
    need_packages "stand-in images" mmdebstrap arch-test
    need_archive_mirror
    need_scratch
    if step "unpacking Debian 12's cross compiler" unpack_cross &&
        step "loading the cross compiler into the engine" load_cross; then
        return
    fi
    say "no cross compiler: what has no wheel is compiled under emulation alone"
}

unpack_cross() {
    mkdir -p "$SCRATCH/amd64"
    apt_network_options >"$SCRATCH/apt.conf"
    unpack amd64 cross "$CROSS_PACKAGES"
    tar --numeric-owner -C "$SCRATCH/amd64/cross" -cf "$SCRATCH/amd64/cross.tar" .
    rm -rf --one-file-system -- "$SCRATCH/amd64/cross"
}

load_cross() {
    cd "$SCRATCH/amd64" || return
    image_config amd64 "\"pytest-arm64.stand-in-for\":\"al2023\"" cross.tar >cross.json
    printf '[{"Config":"cross.json","RepoTags":["%s"],"Layers":["cross.tar"]}]' \
        "$CROSS_STAND_IN" >manifest.json
    tar -cf - manifest.json cross.json cross.tar | load_archive
}

# Old ones do where new ones cannot be made.
renew_stand_ins() {
    if can_install && [ "$(os_field ID)" = debian ]; then
        say "the stand-ins for $1 are of another recipe than this script's: making them again"
        make_stand_ins "$1"
    else
        say "the stand-ins for $1 are of another recipe than this script's;" \
            "only root on Debian can make them again"
    fi
}

make_stand_ins() {
    local arch=$1
    [ "$arch" = arm64 ] || runs_amd64 || return 0
    if ! can_install || [ "$(os_field ID)" != debian ]; then
        say "$PRODUCT cannot be pulled, and stand-ins can be made by root on Debian only. Needed:"
        advise_image
        exit 1
    fi
    need_packages "stand-in images" mmdebstrap arch-test
    need_archive_mirror
    need_scratch
    step "unpacking Debian 12 for $arch" unpack_pair "$arch" || die "no stand-in for $arch"
    step "loading the $arch images into the engine" load_pair "$arch" || die "no stand-in for $arch"
    step "trying the $arch images" check_pair "$arch" || die "the stand-ins for $arch do not work"
    rm -rf --one-file-system -- "${SCRATCH:?}/$arch"
}

runs_amd64() {
    [ "$(uname -m)" = x86_64 ] || registered && return
    say "no stand-in for amd64: this machine cannot run x86_64 programs"
    return 1
}

unpack_pair() {
    local arch=$1 first
    mkdir -p "$SCRATCH/$arch"
    apt_network_options >"$SCRATCH/apt.conf"
    unpack "$arch" builder "$BUILDER_PACKAGES" &
    first=$!
    unpack "$arch" runtime "$RUNTIME_PACKAGES"
    wait "$first"
    make_layers "$arch"
}

# How this machine's apt reaches the archive: proxies, certificates, clocks
apt_network_options() { apt-config dump | grep -E '^Acquire::(https?|Check-|Retries)' || true; }

unpack() { # unpack ARCH KIND PACKAGES
    local root=$SCRATCH/$1/$2
    mmdebstrap --quiet --arch="$1" --variant=extract --mode=root --format=directory \
        --aptopt="$SCRATCH/apt.conf" --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
        --include="$3" bookworm "$root" "$(archive_source bookworm)"
    finish_root "$root"
}

# What the maintainer scripts would have left behind, as far as tests and builds need it
finish_root() {
    local root=$1 name
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    if [ -r "$root/usr/share/libc-bin/nsswitch.conf" ]; then
        cp "$root/usr/share/libc-bin/nsswitch.conf" "$root/etc/nsswitch.conf"
    fi
    cat "$root"/usr/share/ca-certificates/mozilla/*.crt >"$root/etc/ssl/certs/ca-certificates.crt"
    ln -sf /etc/ssl/certs/ca-certificates.crt "$root/usr/lib/ssl/cert.pem"
    ln -sf gawk "$root/usr/bin/awk"
    if [ -e "$root/usr/bin/gcc" ]; then
        for name in cc:gcc c89:c89-gcc c99:c99-gcc c++:g++; do
            ln -sf "${name#*:}" "$root/usr/bin/${name%:*}"
        done
    fi
    chroot "$root" /sbin/ldconfig
    # Nothing of this machine, and nothing that the engine provides by itself
    rm -rf "$root"/etc/{hostname,hosts,resolv.conf,ethertypes} "$root"/etc/apt \
        "$root"/var/{lib,cache}/apt "$root"/var/log/* "$root"/usr/share/{doc,man,locale}
    find "$root/dev" "$root/proc" "$root/sys" "$root/run" "$root/tmp" -mindepth 1 -delete
}

# The builder is the runtime image and a second layer with what only it has.
make_layers() {
    local work=$SCRATCH/$1
    (cd "$work/runtime" && find . | sort) >"$work/runtime.list"
    (cd "$work/builder" && find . | sort) >"$work/builder.list"
    {
        comm -13 "$work/runtime.list" "$work/builder.list"
        echo ./etc/ld.so.cache
    } >"$work/extra.list"
    tar --numeric-owner -C "$work/runtime" -cf "$work/runtime.tar" .
    tar --numeric-owner -C "$work/builder" --no-recursion -T "$work/extra.list" -cf "$work/builder.tar"
    rm -rf --one-file-system -- "$work/runtime" "$work/builder"
}

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# image_config ARCH LABELS LAYER…: an image's own description, as `docker save` writes it
image_config() {
    local arch=$1 labels=$2 layer digests='' history='' now
    shift 2
    now=$(date -u +%Y-%m-%dT%H:%M:%SZ)
    for layer in "$@"; do
        digests+=${digests:+,}\"sha256:$(sha256_of "$layer")\"
        # Podman commits no image that counts fewer steps than layers.
        history+="${history:+,}{\"created\":\"$now\",\"created_by\":\"scripts/engine\"}"
    done
    printf '{"architecture":"%s","os":"linux","created":"%s","config":{"Env":["PATH=%s"],' \
        "$arch" "$now" "$IMAGE_PATH"
    printf '"Cmd":["/bin/bash"],"Labels":{%s}},"history":[%s],' "$labels" "$history"
    printf '"rootfs":{"type":"layers","diff_ids":[%s]}}' "$digests"
}

# Loaded as an archive rather than built: an old engine's import cannot set the
# architecture, and no kind of builder is needed. The names are provisional.
load_pair() {
    local arch=$1 work=$SCRATCH/$1 label runtime builder
    label="\"pytest-arm64.stand-in-for\":\"al2023\",\"$RECIPE_LABEL\":\"$(recipe)\""
    runtime=$(stand_in_name runtime "$arch")
    builder=$(stand_in_name builder "$arch")
    cd "$work" || return
    image_config "$arch" "$label,\"pytest-arm64.builder\":\"$builder\"" runtime.tar >runtime.json
    image_config "$arch" "$label" runtime.tar builder.tar >builder.json
    printf '[{"Config":"%s","RepoTags":["%s"],"Layers":["%s"]},' \
        runtime.json "$runtime-unchecked" runtime.tar >manifest.json
    printf '{"Config":"%s","RepoTags":["%s"],"Layers":["%s","%s"]}]' \
        builder.json "$builder-unchecked" runtime.tar builder.tar >>manifest.json
    tar -cf - manifest.json runtime.json builder.json runtime.tar builder.tar | load_archive
}

load_archive() {
    api POST /images/load --max-time 300 --header 'Content-Type: application/x-tar' \
        --header 'Expect:' --upload-file - >load.json
    ! grep -q '"error"' load.json || {
        cat load.json
        return 1
    }
}

check_pair() {
    local failed=0
    check_image runtime "$1" "$RUNTIME_CHECK" || failed=1
    check_image builder "$1" "$BUILDER_CHECK" || failed=1
    return "$failed"
}

readonly COMMON_CHECK="uname -m; python3 -V; id -un; kill -0 \$\$; /bin/kill -0 1; tar --version >/dev/null
    python3 -c 'import ssl, venv, ctypes, sqlite3, ctypes.util as u; assert u.find_library(\"c\")'
    python3 -c 'import socket as s, zoneinfo as z; z.ZoneInfo(\"Europe/Berlin\")
s.getservbyname(\"https\"), s.getprotobyname(\"tcp\")'"
readonly RUNTIME_CHECK="! command -v gcc; ! command -v cc; find / -xdev -name 'libgomp*'
    test -z \"\$(find / -xdev -name 'libgomp*')\""
readonly BUILDER_CHECK="cd /tmp; echo 'int main(void) { return 0; }' >a.c; cp a.c a.cc
    cc -o a a.c; ./a; c++ -o b a.cc; ./b; gcc -dumpversion; g++ -dumpversion
    make --version | head -n 1; pkg-config --version; ls /usr/include/python3.*/Python.h"

# check_image KIND ARCH COMMAND: gives the image its name when what must run in it does
check_image() {
    local name provisional former
    name=$(stand_in_name "$1" "$2")
    provisional=$name-unchecked
    former=$(image_json "$name" | text_of Id || true)
    if ! image_is_for "$provisional" "$2"; then
        echo "$provisional is not labelled $2"
        return 1
    fi
    if run_in "$provisional" "$2" "set -e; $COMMON_CHECK; $3" "$(check_core "$2")"; then
        api POST "/images/$provisional/tag?repo=${name%:*}&tag=${name##*:}"
        api DELETE "/images/$provisional?noprune=1"
        [ -z "$former" ] || api DELETE "/images/$former" || echo "the former $name is in use, and stays"
    else
        echo "$name does not work"
        api DELETE "/images/$provisional"
        return 1
    fi
}

# A newer core than an old qemu has: shows that the kernel uses the qemu that is installed.
check_core() {
    if [ "$1" = arm64 ] && kernel_is_ours && [ "$(foreign)" = aarch64 ] && knows_cores; then
        printf 'QEMU_CPU=neoverse-v1'
    else
        printf 'LC_ALL=C'
    fi
}
