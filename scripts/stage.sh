# Stages for scripts: each has a name, is timed, and ends the script if it fails. To be sourced, not run.

# What a person must not overlook; repeated by `notices` at the end of the script.
declare -a NOTICES=()

# notice TEXT: says loudly that something was not done.
notice() {
    NOTICES+=("$1")
    printf '\n!!! %s\n' "$1"
}

# notices: repeats every notice.
notices() {
    local text
    for text in ${NOTICES[@]+"${NOTICES[@]}"}; do
        printf '!!! %s\n' "$text"
    done
}

# stage NAME COMMAND…: runs the command. A function given as the command must chain its steps with `&&`,
# because `set -e` has no effect inside it.
stage() {
    local name=$1 start=$SECONDS status=0
    shift
    printf '\n==> %s\n' "$name"
    "$@" || status=$?
    if ((status != 0)); then
        printf '<== %s: FAILED with status %d after %d s\n' "$name" "$status" "$((SECONDS - start))"
        exit "$status"
    fi
    printf '<== %s: ok, %d s\n' "$name" "$((SECONDS - start))"
}
