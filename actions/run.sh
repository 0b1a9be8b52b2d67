#!/usr/bin/env bash
# Runs the one binary that this version of the actions is pinned to, with the arguments given.
#
# Where it comes from, in this order: `LASTMILE_BIN` (for machines without a network), the tool cache, a download. Cache and
# download count only with the SHA-256 that `actions/lock.tsv` has beside this script; a binary of the caller's own choice
# is the caller's own risk. Nothing is taken from the workspace or the PATH, and nothing is compiled.
#
# An earlier step of the same job can change this process's environment; no action can defend against that.
set -euo pipefail
mask=$(umask)
umask 077
# An empty variable counts as unset, as an action passes every input that its user left out.
unset BASH_ENV ENV
# Git's bash on Windows would take a value that begins with a slash for a path of its own and rewrite it.
export MSYS2_ENV_CONV_EXCL=LASTMILE_

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
readonly here lock="$here/lock.tsv"

# Shows what is wrong as an annotation: one line, whatever the text holds.
fail() {
    local text=${1//'%'/%25}
    text=${text//$'\r'/%0D}
    printf '::error title=lastmile::%s\n' "${text//$'\n'/%0A}" >&2
    exit "${2:-5}"
}

# The target triple of this machine.
target() {
    local system machine
    system=$(uname -s)
    machine=$(uname -m)
    case $machine in
        x86_64 | amd64) machine=x86_64 ;;
        aarch64 | arm64) machine=aarch64 ;;
        *) fail "there is no binary for the machine '$machine'; give one with LASTMILE_BIN" 2 ;;
    esac
    case $system in
        Linux) echo "$machine-unknown-linux-musl" ;;
        Darwin) echo "$machine-apple-darwin" ;;
        MINGW* | MSYS* | CYGWIN*) echo "$machine-pc-windows-msvc" ;;
        *) fail "there is no binary for the system '$system'; give one with LASTMILE_BIN" 2 ;;
    esac
}

# By standard input, as a name with a backslash in it would be escaped in the output.
sha256() {
    if command -v sha256sum >/dev/null; then
        sha256sum <"$1" | cut -d ' ' -f 1
    else
        shasum -a 256 <"$1" | cut -d ' ' -f 1
    fi
}

# The verb is a word, whatever an input held: never a flag.
for word in "$@"; do
    [[ $word =~ ^[a-z]+$ && $word != help ]] || fail "expected a verb, found '$word'; is a required input missing?" 2
done

# Runs the program; without a verb, puts it on the PATH of the steps that follow.
deliver() {
    local program=$1
    shift
    if (($# > 0)); then
        umask "$mask"
        # One stream, as the runner handles a step's standard error before its standard output: what is printed stays
        # between the marks that tell it to take nothing for a command.
        exec -- "$program" "$@" 2>&1
    fi
    [[ -n ${GITHUB_PATH:-} && -n ${GITHUB_OUTPUT:-} ]] || fail 'without a verb this runs in a step of GitHub Actions only' 2
    # A folder with nothing else in it, so that nothing else comes onto the PATH.
    local folder
    folder=$(mktemp -d "${RUNNER_TEMP:-${TMPDIR:-/tmp}}/lastmile.XXXXXX")
    cp -- "$program" "$folder/$binary"
    chmod 755 "$folder" "$folder/$binary"
    if command -v cygpath >/dev/null; then
        folder=$(cygpath -w "$folder")
    fi
    [[ $folder != *$'\n'* ]] || fail "the folder '$folder' cannot be put on the PATH" 2
    printf '%s\n' "$folder" >>"$GITHUB_PATH"
    printf 'path=%s\n' "$folder" >>"$GITHUB_OUTPUT"
    "$program" --version
}

binary=lastmile
[[ $(uname -s) =~ ^(MINGW|MSYS|CYGWIN) ]] && binary=lastmile.exe

if [[ -n ${LASTMILE_BIN:-} ]]; then
    # A bare name would be looked up in the PATH.
    [[ $LASTMILE_BIN == */* || $LASTMILE_BIN == *\\* ]] || LASTMILE_BIN="./$LASTMILE_BIN"
    [[ -f $LASTMILE_BIN && -x $LASTMILE_BIN ]] || fail "LASTMILE_BIN is '$LASTMILE_BIN', which is no program" 2
    deliver "$LASTMILE_BIN" "$@"
    exit
fi

triple=$(target)
version='' expected='' size='' address=''
while IFS=$'\t' read -r name one two three; do
    case $name in
        version) version=$one ;;
        "$triple") expected=$one size=$two address=$three ;;
    esac
done <"$lock"
[[ -n $version && -n $expected ]] ||
    fail "no binary is released for $triple yet: actions/lock.tsv names none. Build lastmile and give it with LASTMILE_BIN" 2

# Without a cache of the runner's own, a folder that nobody else can have made.
tools=${RUNNER_TOOL_CACHE:-$(mktemp -d)}
cache="$tools/lastmile/$version/$triple"
program="$cache/$binary"
[[ ! -d $program ]] || fail "'$program' is a folder; remove it" 5
if [[ ! -f $program || ! -x $program || $(sha256 "$program") != "$expected" ]]; then
    [[ -n ${LASTMILE_MIRROR:-} ]] && address="${LASTMILE_MIRROR%/}/${address##*/}"
    mkdir -p -- "$cache"
    part=$(mktemp "$cache/part.XXXXXX")
    trap 'rm -f -- "$part"' EXIT
    protocols='=https'
    # A mirror on this very machine needs no TLS.
    [[ $address == http://127.0.0.1:* || $address == http://localhost:* ]] && protocols='=http,https'
    curl --fail --silent --show-error --location --proto "$protocols" --proto-redir "$protocols" --max-filesize "$size" \
        --connect-timeout 10 --max-time 300 --retry 3 --output "$part" -- "$address" ||
        fail "cannot download $address; is the network there, or is LASTMILE_MIRROR right?"
    found=$(sha256 "$part")
    [[ $found == "$expected" ]] ||
        fail "$address has sha256 $found, expected $expected; it is not run. Is the mirror intact?" 1
    chmod 700 "$part"
    mv -f -- "$part" "$program"
    trap - EXIT
fi
deliver "$program" "$@"
