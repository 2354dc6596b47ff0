# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the other files
# The engine's HTTP API through curl: a docker command may be missing, or too new
# or too old for the engine that is there.

ENGINE=
API_URL=
API_OPTIONS=()

connect_to() { # connect_to URL: later `api` calls go there
    ENGINE=$1
    API_OPTIONS=(--noproxy '*')
    case $1 in
        unix://*)
            API_URL=http://engine
            API_OPTIONS+=(--unix-socket "${1#unix://}")
            ;;
        tcp://* | http://*)
            API_URL=http://${1#*://}
            [ -z "${DOCKER_TLS_VERIFY:-}" ] || use_tls "$1"
            ;;
        *) die "DOCKER_HOST=$1: only unix:// and tcp:// are understood here" \
            "(for ssh, forward the remote socket: ssh -L /tmp/docker.sock:/var/run/docker.sock HOST)" ;;
    esac
}

use_tls() {
    local certificates=${DOCKER_CERT_PATH:-$HOME/.docker}
    API_URL=https://${1#*://}
    API_OPTIONS+=(--cacert "$certificates/ca.pem" --cert "$certificates/cert.pem"
        --key "$certificates/key.pem")
}

# api METHOD PATH [CURL OPTION…]; fails where the engine answers with an error
api() {
    local method=$1 path=$2
    shift 2
    curl -q --silent --show-error --fail --max-time 60 "${API_OPTIONS[@]}" \
        --request "$method" "$@" "$API_URL$path"
}

answers() { api GET /_ping --max-time 3 >/dev/null 2>&1; }

find_engine() {
    has curl || return 1
    if [ -n "${DOCKER_HOST:-}" ] && [ "$DOCKER_HOST" != "$OWN_ENGINE" ]; then
        connect_to "$DOCKER_HOST"
        answers && return
        die "DOCKER_HOST=$DOCKER_HOST does not answer. Start that engine, or unset DOCKER_HOST"
    fi
    # What another program may reach without a variable goes first, unless ours is asked for.
    if [ -z "${DOCKER_HOST:-}" ]; then
        connect_to "$DEFAULT_ENGINE"
        answers && return
    fi
    connect_to "$OWN_ENGINE"
    answers
}

# text_of NAME, number_of NAME: the first such key of the JSON on stdin; enough for
# what is read here, and no jq needed
text_of() { grep -o "\"$1\": *\"[^\"]*\"" | head -n 1 | sed 's/^[^:]*: *"//; s/"$//'; }
number_of() { grep -o "\"$1\": *[0-9]*" | head -n 1 | grep -o '[0-9]*$'; }

engine_version() { api GET /version | text_of Version; }

# The last "Arch" may be a component's: the top level's own is what `text_of` meets in /info.
engine_machine() {
    case $(api GET /info | text_of Architecture) in
        aarch64 | arm64) printf 'aarch64' ;;
        *) printf 'x86_64' ;;
    esac
}

image_json() { api GET "/images/$1/json" 2>/dev/null; }

json_string() {
    printf '%s' "$1" | sed 's/["\\]/\\&/g' |
        awk 'BEGIN { printf "\"" } { printf "%s%s", (NR > 1 ? "\\n" : ""), $0 } END { printf "\"" }'
}

# run_in IMAGE ARCH COMMAND [VARIABLE=VALUE]: runs `sh -c COMMAND` without network,
# prints its output, returns its exit status (124: it did not end)
run_in() {
    local image=$1 arch=$2 id status=124 variables=
    [ $# -lt 4 ] || variables="\"$4\""
    id=$(printf '{"Image":"%s","Cmd":["sh","-c",%s],"Env":[%s],"Tty":true,%s,%s}' \
        "$image" "$(json_string "$3")" "$variables" '"Labels":{"pytest-arm64.engine":"check"}' \
        '"HostConfig":{"NetworkMode":"none"}' |
        api POST "/containers/create?platform=linux/$arch" \
            --header 'Content-Type: application/json' --data-binary @- | text_of Id) || return
    if api POST "/containers/$id/start" >/dev/null; then
        status=$(api POST "/containers/$id/wait" --max-time 120 | number_of StatusCode) || status=124
        # A terminal's output has no multiplexing headers, but carriage returns.
        api GET "/containers/$id/logs?stdout=1&stderr=1" --max-time 10 | tr -d '\r' || true
    fi
    api DELETE "/containers/$id?force=1&v=1" >/dev/null || true
    return "$status"
}
