# shellcheck shell=bash
# The engine: one that answers, else a dockerd of our own with its own socket and data.

provide_engine() {
    if find_engine; then
        say "engine $(engine_version) at $ENGINE"
        return
    fi
    can_install || missing_everything
    need_packages "the engine" curl ca-certificates iptables docker.io
    # Where services are started at installation there is an engine now: that one will do.
    if find_engine; then
        say "engine $(engine_version) at $ENGINE, a service of this machine"
        return
    fi
    step "starting dockerd" start_daemon || die "dockerd did not come up; its log: $DAEMON_LOG"
    connect_to "$OWN_ENGINE"
    say "engine $(engine_version) at $ENGINE"
}

missing_everything() {
    say "no engine answers, and only root on Debian or Ubuntu can have one installed by this." \
        "Nothing was changed. Needed:"
    advise_engine
    emulation_in_order || advise_emulation
    advise_image
    exit 1
}

advise_engine() {
    cat >&2 <<'ADVICE'
  - an engine: Docker or podman, and the right to use its socket
      Debian, Ubuntu: sudo apt-get install docker.io && sudo usermod -aG docker "$USER"
      elsewhere: start it, and set DOCKER_HOST if it is not at /var/run/docker.sock
ADVICE
}

# Empty for what has ended, also where nobody has collected it yet
command_line() { { tr '\0' '\n' <"/proc/$1/cmdline"; } 2>/dev/null || true; }

# The process that our pid file names, if that is our dockerd
daemon_pid() {
    local pid
    pid=$(cat "$PIDFILE" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ -r "/proc/$pid/cmdline" ] || return 1
    grep -qxF -- "--pidfile=$PIDFILE" <<<"$(command_line "$pid")" || return 1
    printf '%s' "$pid"
}

is_running() { [ -r "/proc/$1/cmdline" ] && [ -n "$(command_line "$1")" ]; }

# dockerd takes any living process with a number in such a file for its own.
remove_stale_pids() {
    local file=$RUN_DIR/exec/containerd/containerd.pid pid
    daemon_pid >/dev/null || rm -f "$PIDFILE"
    [ -r "$file" ] || return 0
    pid=$(cat "$file")
    grep -q containerd <<<"$(command_line "$pid")" || rm -f "$file"
}

start_daemon() {
    local pid
    connect_to "$OWN_ENGINE"
    mkdir -p "$RUN_DIR" "$DATA_ROOT"
    chmod 0711 "$STATE_DIR"
    remove_stale_pids
    if ! daemon_pid >/dev/null; then
        # Its own configuration: the machine's may name another socket or data root.
        printf '{}\n' >"$RUN_DIR/daemon.json"
        setsid dockerd --config-file="$RUN_DIR/daemon.json" --host="$OWN_ENGINE" \
            --data-root="$DATA_ROOT" --exec-root="$RUN_DIR/exec" --pidfile="$PIDFILE" \
            >"$DAEMON_LOG" 2>&1 </dev/null &
        pid=$!
    else
        pid=$(daemon_pid)
    fi
    wait_for_daemon "$pid" && return
    echo "dockerd does not answer; the end of $DAEMON_LOG:"
    tail -n 12 "$DAEMON_LOG"
    return 1
}

wait_for_daemon() {
    local end=$((SECONDS + 60))
    while [ "$SECONDS" -lt "$end" ]; do
        answers && return
        kill -0 "$1" 2>/dev/null || return 1
        sleep 0.2
    done
    return 1
}

stop_daemon() {
    local pid end
    if ! pid=$(daemon_pid); then
        say "no engine that up started is running"
        return
    fi
    say "stopping dockerd, process $pid"
    kill -TERM "$pid"
    end=$((SECONDS + 45))
    while is_running "$pid" && [ "$SECONDS" -lt "$end" ]; do sleep 0.2; done
    ! is_running "$pid" || die "process $pid did not end in 45 s; its log: $DAEMON_LOG"
    rm -rf --one-file-system -- "$RUN_DIR"
    say "stopped; images stay in $DATA_ROOT"
}

purge_data() {
    local mount
    ! daemon_pid >/dev/null || die "purge: the engine is still running"
    while read -r mount; do
        umount "$mount" || die "purge: $mount is mounted and in use; nothing was removed"
    done < <(awk -v under="$STATE_DIR/" 'index($2, under) == 1 { print $2 }' /proc/mounts | sort -r)
    rm -rf --one-file-system -- "$STATE_DIR"
    say "removed $STATE_DIR"
}

status_engine() {
    local whose="not started by up"
    [ "$ENGINE" != "$OWN_ENGINE" ] || whose="started by up, process $(daemon_pid || echo unknown)"
    printf 'engine     %s at %s (%s)\n' "$(engine_version)" "$ENGINE" "$whose"
}
