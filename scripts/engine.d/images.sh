# shellcheck shell=bash
# The images to run on: Amazon Linux 2023, or what stands in for it.

# The pin is the product's own, so that what is pulled here is what the first run looks for.
readonly PRODUCT_NAME=amazonlinux
PRODUCT_DIGEST=$(sed -n '/^\[bases.al2023\]/,/^\[/s/^digest = "\(.*\)"/\1/p' \
    "$HERE/../src/pytest_arm64/resources/targets.toml")
readonly PRODUCT_DIGEST
readonly PRODUCT_TAG=${PRODUCT_DIGEST:-2023}
readonly PRODUCT=$PRODUCT_NAME:2023${PRODUCT_DIGEST:+@$PRODUCT_DIGEST}
readonly RUNTIME_REPOSITORY=pytest-arm64/stand-in
readonly BUILDER_REPOSITORY=pytest-arm64/stand-in-builder
readonly CROSS_STAND_IN=pytest-arm64/stand-in-cross:bookworm-amd64

stand_in_name() { # stand_in_name runtime|builder ARCH
    local repository=$RUNTIME_REPOSITORY
    [ "$1" = runtime ] || repository=$BUILDER_REPOSITORY
    printf '%s:bookworm-%s' "$repository" "$2"
}

image_is_for() { [ "$(image_json "$1" | text_of Architecture)" = "$2" ]; }

product_image_present() { image_is_for "$PRODUCT" arm64; }

stand_in_present() { image_is_for "$(stand_in_name "$1" "$2")" "$2"; }

cross_stand_in_present() { image_is_for "$CROSS_STAND_IN" amd64; }

stand_ins_present() { # stand_ins_present ARCH
    stand_in_present runtime "$1" && stand_in_present builder "$1"
}

provide_images() { # provide_images yes|no: whether to pull though stand-ins are there
    if product_image_present; then
        say "image: $PRODUCT for arm64"
        return
    fi
    if [ "$1" = yes ] || ! stand_ins_present arm64; then
        pull_product && return
    fi
    provide_stand_ins
    provide_cross_stand_in
}

pull_product() {
    need_scratch
    if step "pulling $PRODUCT for arm64" pull; then
        run_in "$PRODUCT" arm64 'uname -m' | grep -qx aarch64 ||
            die "$PRODUCT is here, but does not run as aarch64"
        return
    fi
    return 1
}

# The time limit is on silence, not on the whole: a slow line may take minutes. The
# engine reports an error in the stream, after its answer began with success.
pull() {
    local answer=$SCRATCH/pull.json
    curl -q --silent --show-error "${API_OPTIONS[@]}" --speed-limit 1 --speed-time 20 \
        --request POST --output "$answer" \
        "$API_URL/images/create?fromImage=$PRODUCT_NAME&tag=$PRODUCT_TAG&platform=linux/arm64" ||
        return
    if grep -qE '"(error|message)"' "$answer"; then
        grep -E '"(error|message)"' "$answer" | tail -n 1
        return 1
    fi
    product_image_present
}

advise_image() {
    cat >&2 <<ADVICE
  - the image: docker pull --platform linux/arm64 $PRODUCT
ADVICE
}

status_images() {
    local usable=1 kind arch name
    ! product_image_present || usable=0
    status_image "$PRODUCT" arm64 "Amazon Linux 2023"
    for arch in arm64 amd64; do
        for kind in runtime builder; do
            name=$(stand_in_name "$kind" "$arch")
            status_image "$name" "$arch" "stand-in, Debian 12$(recipe_note "$name")"
        done
    done
    status_image "$CROSS_STAND_IN" amd64 "cross compiler, Debian 12"
    ! stand_ins_present arm64 || usable=0
    [ "$usable" -eq 0 ] || printf 'image      none to run on; scripts/engine up\n'
    return "$usable"
}

recipe_note() { # recipe_note NAME: what status tells of a stand-in of an earlier recipe
    is_current "$1" || printf ' of another recipe: scripts/engine up'
}

status_image() { # status_image NAME ARCH KIND: a line, if it is there
    local json
    json=$(image_json "$1") || return 0
    printf 'image      %s (%s, %s, %d MB)\n' "$1" "$(text_of Architecture <<<"$json")" "$3" \
        "$(($(number_of Size <<<"$json") / 1000000))"
}
