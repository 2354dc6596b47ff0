# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the other files
# Names that are fixed, and how this script talks.

readonly RUN_DIR=/run/pytest-arm64
readonly STATE_DIR=/var/lib/pytest-arm64
readonly DATA_ROOT=$STATE_DIR/docker
readonly DAEMON_LOG=/var/log/pytest-arm64-dockerd.log
readonly PIDFILE=$RUN_DIR/docker.pid
readonly OWN_ENGINE=unix://$RUN_DIR/docker.sock
readonly DEFAULT_ENGINE=unix:///var/run/docker.sock

# Root shells of services and of `su` often lack the sbin folders, where dockerd and iptables are.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
# Words in other programs' output are matched below.
export LC_ALL=C

SCRATCH=
STEP_GROUP=

say() { printf 'engine: %s\n' "$*" >&2; }

die() {
    say "$@"
    exit 1
}

bad_usage() {
    say "$*"
    say "scripts/engine --help tells what there is"
    exit 2
}

is_root() { [ "$(id -u)" -eq 0 ]; }

has() { command -v "$1" >/dev/null 2>&1; }

clean_up() {
    if [ -n "$STEP_GROUP" ]; then
        # mmdebstrap undoes its mounts on TERM; nothing may be removed before it has.
        kill -TERM -- "-$STEP_GROUP" 2>/dev/null || true
        wait "$STEP_GROUP" 2>/dev/null || true
    fi
    [ -z "$SCRATCH" ] || rm -rf --one-file-system -- "$SCRATCH"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

need_scratch() {
    [ -n "$SCRATCH" ] || SCRATCH=$(mktemp -d "${TMPDIR:-/var/tmp}/pytest-arm64.XXXXXXXX")
}

# step TEXT COMMAND…: a line before, the seconds after, and the end of its output if it fails.
step() {
    local text=$1 begin=$SECONDS log rc=0
    shift
    need_scratch
    log=$SCRATCH/step.log
    printf 'engine: %s … ' "$text" >&2
    # A process group of its own: an interrupt then ends all of it. In the background
    # `set -e` holds inside the command, which it would not as the condition of an `if`.
    set -m
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null 9>&- &
    STEP_GROUP=$!
    set +m
    wait "$STEP_GROUP" || rc=$?
    STEP_GROUP=
    if [ "$rc" -eq 0 ]; then
        printf '%d s\n' "$((SECONDS - begin))" >&2
    else
        printf 'failed after %d s\n' "$((SECONDS - begin))" >&2
        tail -n 15 "$log" | sed 's/^/    /' >&2
    fi
    return "$rc"
}

# Two at a time would install and build the same things.
take_lock() {
    is_root && has flock || return 0
    exec 9>/run/pytest-arm64.lock
    flock -n 9 && return
    say "another scripts/engine is at work: waiting for it"
    flock -w 900 9 || die "it did not end in 15 minutes"
}

os_field() { # os_field ID: a field of os-release, empty where there is none
    [ -r /etc/os-release ] || return 0
    (
        unset "$1"
        # shellcheck disable=SC1091
        . /etc/os-release
        printf '%s' "${!1:-}"
    )
}

can_install() {
    is_root || return 1
    case $(os_field ID) in
        debian | ubuntu) has apt-get ;;
        *) return 1 ;;
    esac
}
