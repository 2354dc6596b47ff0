# shellcheck shell=bash
# The other architecture's programs, through qemu and the kernel's binfmt_misc.

readonly BINFMT=/proc/sys/fs/binfmt_misc
# Graviton 2, 3 and 4 to qemu
readonly CORES="neoverse-n1 neoverse-v1 neoverse-n2"

# What must be emulated here: arm64 on x86; on arm64 the x86 side of comparisons
foreign() {
    if [ "$(uname -m)" = aarch64 ]; then printf 'x86_64'; else printf 'aarch64'; fi
}

# An engine in a virtual machine (every one on macOS) or elsewhere has its own kernel.
kernel_is_ours() {
    [ "$(uname -s)" = Linux ] && case ${ENGINE:-$OWN_ENGINE} in unix://*) ;; *) return 1 ;; esac
}

qemu_command() { command -v "qemu-$(foreign)-static" || command -v "qemu-$(foreign)"; }

qemu_version() { "$(qemu_command)" --version 2>/dev/null | sed -n '1s/.*version \([0-9.]*\).*/\1/p'; }

cores_known() {
    local listing core qemu
    qemu=$(qemu_command) || return 0
    listing=$("$qemu" -cpu help 2>/dev/null || true) # qemu lists, and fails
    for core in $CORES; do
        ! grep -qw -- "$core" <<<"$listing" || printf '%s ' "$core"
    done
}

knows_cores() { [ "$(foreign)" != aarch64 ] || [ "$(cores_known)" = "$CORES " ]; }

handler_flags() { sed -n 's/^flags: *//p' "$BINFMT/qemu-$(foreign)" 2>/dev/null; }

# Without F the kernel looks for qemu inside the container, where there is none.
registered() {
    grep -qsx enabled "$BINFMT/qemu-$(foreign)" && case $(handler_flags) in *F*) ;; *) return 1 ;; esac
}

emulation_in_order() { ! kernel_is_ours || { registered && knows_cores; }; }

provide_emulation() {
    if ! kernel_is_ours; then
        say "emulation: a matter of the engine's own machine ($(engine_machine))"
    elif emulation_in_order; then
        say "emulation: qemu $(qemu_version) runs $(foreign) programs"
    elif can_install; then
        install_emulation
    elif [ "$(foreign)" = x86_64 ]; then
        say "emulation: none of x86_64; the amd64 side of a comparison cannot run here"
    elif registered; then
        say "emulation: registered, but which cores that qemu knows cannot be seen here"
    else
        say "programs for $(foreign) cannot run here; nothing was changed. Needed:"
        advise_emulation
        exit 1
    fi
}

install_emulation() {
    has_right_qemu || install_qemu
    step "registering qemu for $(foreign) programs" register || die "$(foreign) programs cannot be run"
    knows_cores || say "emulation: qemu $(qemu_version) knows only: $(cores_known)of $CORES"
    say "emulation: qemu $(qemu_version) runs $(foreign) programs (flags $(handler_flags))"
}

has_right_qemu() { qemu_command >/dev/null && knows_cores; }

install_qemu() {
    local package="qemu-user-static"
    if [ "$(os_field VERSION_CODENAME)" = bookworm ]; then
        need_backports
        package="qemu-user-static/bookworm-backports"
        if installed qemu-user-static; then
            step "upgrading qemu" apt_install "$package" || die "qemu could not be upgraded"
        fi
    fi
    need_packages "emulation" "$package"
}

# Debian 12's own qemu is 7.2, without the cores of Graviton 3 and 4.
need_backports() {
    local list=/etc/apt/sources.list.d/pytest-arm64-backports.list
    # shellcheck disable=SC2016
    if apt-get indextargets --format '$(CODENAME)' 'Created-By: Packages' |
        grep -x bookworm-backports >/dev/null; then
        return
    fi
    need_archive_mirror
    archive_source bookworm-backports >"$list"
    step "reading the list of Debian's backports" apt_update -o "Dir::Etc::SourceList=$list" \
        -o Dir::Etc::SourceParts=- -o APT::Get::List-Cleanup=0 || die "backports cannot be read"
}

# The first bytes of a 64-bit little-endian executable or shared object for a machine
magic_of() {
    local machine='\xb7\x00'
    [ "$1" = aarch64 ] || machine='\x3e\x00'
    printf '%s' '\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00'"$machine"
}
readonly MASK='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'

# Written to the kernel here, as distributions differ in which program does it for them,
# and a machine without a service manager has none. Flags: keep argv[0], keep
# credentials, open qemu now.
register() {
    local name qemu
    name=qemu-$(foreign)
    qemu=$(readlink -f "$(qemu_command)")
    if [ ! -e "$BINFMT/register" ]; then
        modprobe binfmt_misc || true
        mount -t binfmt_misc binfmt_misc "$BINFMT"
    fi
    # The kernel keeps the qemu that it opened at registration, also after an upgrade.
    [ ! -e "$BINFMT/$name" ] || echo -1 >"$BINFMT/$name"
    printf '%s\n' ":$name:M::$(magic_of "$(foreign)"):$MASK:$qemu:POCF" >"$BINFMT/register"
    registered || {
        echo "the kernel has no enabled handler with the flag F in $BINFMT/$name"
        return 1
    }
}

advise_emulation() {
    cat >&2 <<'ADVICE'
  - qemu 8.2 or later as the kernel's handler of aarch64 programs, registered with the flag F
      Debian 13, Ubuntu 24.04 and later: sudo apt-get install qemu-user-static binfmt-support
      anywhere with an engine: docker run --privileged --rm tonistiigi/binfmt --install arm64
ADVICE
}

status_emulation() {
    if ! kernel_is_ours; then
        printf 'emulation  a matter of the engine'"'"'s own machine (%s)\n' "$(engine_machine)"
    elif registered; then
        printf 'emulation  qemu %s for %s, flags %s; cores: %s\n' "$(qemu_version || true)" "$(foreign)" \
            "$(handler_flags)" "$(cores_known)"
        knows_cores
    else
        printf 'emulation  %s programs: no handler with the flag F; scripts/engine up\n' "$(foreign)"
        [ "$(foreign)" = x86_64 ]
    fi
}
