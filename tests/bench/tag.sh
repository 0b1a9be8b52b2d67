#!/usr/bin/env bash
# How long `lastmile tag` takes to find the next version among 20,000 commits and 397 tags, beside git-cliff where it is
# installed (`npm ci --ignore-scripts` in tests/judges/git-cliff) and git itself, the lower bound. Both must say v2.0.0.
#
#   cargo build --release && tests/bench/tag.sh [runs] [binary]
#
# Prints the median of the wall clock, in milliseconds. The repository is made anew in a temporary folder.
# Measured on 2026-11-25, two shared and busy cores: lastmile 12.4, git 8.5, git-cliff 79.8 (again: 13.0, 20.0, 63.9).
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
runs=${1:-15}
binary=$(realpath -- "${2:-$here/../../target/release/lastmile}")
[[ -x $binary ]] || { echo "tag.sh: \`$binary\` is not there; build it first: cargo build --release" >&2; exit 2; }
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT

# Commit i has one file that changes; every 50th is a release, v1.0.0 to v1.396.0, and after the last comes a break.
stream() {
    awk 'BEGIN {
        print "blob\nmark :1\ndata 2\nx"
        for (i = 1; i <= 20000; i++) {
            kind = (i % 3 == 0) ? "feat" : (i % 3 == 1) ? "fix" : "docs"
            message = kind "(area" (i % 7) "): change number " i " (#" i ")"
            if (i == 19900) message = "feat!: change what everybody relies on"
            message = message "\n\nSome words about it, as people write them.\n"
            print "commit refs/heads/main"
            print "mark :" (i + 1)
            print "committer A <a@example.com> " (1600000000 + i * 60) " +0000"
            print "data " length(message)
            printf "%s\n", message
            if (i > 1) print "from :" i
            print "M 100644 :1 file" (i % 50)
            if (i % 50 == 0 && i / 50 <= 397) {
                print "tag v1." (i / 50 - 1) ".0"
                print "from :" (i + 1)
                print "tagger A <a@example.com> " (1600000000 + i * 60) " +0000"
                print "data 8\nrelease\n"
            }
        }
    }'
}

git init --quiet --initial-branch=main "$folder"
cd -- "$folder"
stream | git fast-import --quiet
git reset --quiet --hard
git repack -a -d --quiet
git pack-refs --all
echo "$(git rev-list --count HEAD) commits, $(git tag --list | wc -l) tags"

# Runs a command, checks what it says, and prints its median.
measure() {
    local name=$1 expected=$2 times=() said began i
    shift 2
    for ((i = 0; i < runs; i++)); do
        began=$(date +%s%N)
        said=$("$@" 2>/dev/null)
        times+=($((($(date +%s%N) - began) / 10000)))
        [[ $said == *"$expected"* ]] || { echo "$name: expected \`$expected\`, found: ${said:0:200}" >&2; exit 1; }
    done
    printf '%s\n' "${times[@]}" | sort -n | awk -v name="$name" '
        { all[NR] = $1 } END { printf "%-44s %8.2f ms (median of %d)\n", name, all[int((NR + 1) / 2)] / 100, NR }'
}

describe() {
    local last
    last=$(git describe --abbrev=0)
    git log --format=%B "$last..HEAD"
}

measure 'lastmile tag --local --dry-run' 'v2.0.0 would be created' "$binary" tag --local --dry-run
measure 'git describe, git log' 'everybody relies on' describe
cliff=$(compgen -G "$here/../judges/git-cliff/node_modules/git-cliff-*/bin/git-cliff" || true)
if [[ -n $cliff ]]; then
    measure 'git-cliff --unreleased --bumped-version' 'v2.0.0' "$cliff" --unreleased --bumped-version
else
    echo 'skipped: git-cliff is not installed; run npm ci --ignore-scripts in tests/judges/git-cliff'
fi
