#!/bin/sh
# From training to the deployed file, and back: release.sh [DIR]
#
# Trains twice for real, records, checks, promotes to staging and to production, shows that one swapped byte is found,
# rolls back, and explains. Everything happens in a repository of its own in DIR, by default a new temporary folder; all it
# needs is a POSIX shell, awk, git, and gate, which $GATE names if it is not in the PATH.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
gate=${GATE:-gate}
project=${1:-$(mktemp -d)}

step() { printf '\n\n### %s\n' "$*"; }
# Runs a command, and ends the script unless it leaves with this code.
leaves_with() {
    expected=$1; shift
    echo "\$ gate $*"
    code=0
    "$gate" "$@" || code=$?
    [ "$code" = "$expected" ] || { echo "release.sh: exit code $code, and $expected was expected" >&2; exit 1; }
}
commit() { git add --all; git commit --quiet --message "$1"; }

mkdir -p "$project/data" "$project/keys" "$project/models" "$project/runs"
cp "$here/gate.yaml" "$here/train.sh" "$here/train.awk" "$project"
cp "$here/../churn/data/train.csv" "$here/../churn/data/validation.csv" "$project/data"
cd "$project"
git init --quiet --initial-branch=main
git config user.name "Ada Lovelace"
git config user.email ada@example.org
# What is signed and hashed must stay the bytes that it is.
printf '* -text\nledger/** -text -merge\n' > .gitattributes
printf '*.key\n' > .gitignore

step "Keys: one for whoever trains, one for whoever releases"
leaves_with 0 key new training.key
leaves_with 0 key new release.key
mv training.key.pub keys/training.pub
mv release.key.pub keys/release.pub
commit "A project"

# One training, recorded and signed: train NAME EPOCHS
train() {
    leaves_with 0 record --model churn --run-id "$1" --output "runs/$1.json" --key training.key \
        --artifact "models/$1.txt" --data train=data/train.csv --validation data/validation.csv \
        --data-version 2026-05 --seed 0 -- sh train.sh "$2" "models/$1.txt"
    commit "Train $1"
}
promote() { leaves_with "$1" promote "runs/$2.json" --stage "$3" --key release.key; }

step "The first model"
train first 1
leaves_with 1 promote runs/first.json --stage production --first --key release.key      # Not before staging.
leaves_with 0 promote runs/first.json --stage staging --first --key release.key
leaves_with 0 promote runs/first.json --stage production --first --key release.key
commit "Promote first"

step "A second one, trained for longer: checked against what is in production, and promoted"
train second 10
leaves_with 0 check runs/second.json --stage production --baseline stage:production
leaves_with 0 diff stage:production runs/second.json
promote 0 second staging
promote 0 second production
commit "Promote second"

step "Where it is deployed: is this the file?"
leaves_with 0 verify models/second.txt --stage production --key keys/release.pub
leaves_with 1 verify models/first.txt --stage production --key keys/release.pub

step "One byte swapped"
cp models/second.txt kept.txt
tr '0' '1' < kept.txt > models/second.txt
leaves_with 1 verify models/second.txt --stage production --key keys/release.pub
mv kept.txt models/second.txt

step "Back to the first one, and why"
leaves_with 0 rollback --stage production --reason "alerts on the support_calls feature" \
    --key release.key --trusted-key keys/release.pub
leaves_with 0 verify models/first.txt --stage production --key keys/release.pub
leaves_with 1 verify models/second.txt --stage production --key keys/release.pub
commit "Roll back"

step "Half a year later: what is in production?"
leaves_with 0 explain stage:production
leaves_with 0 audit --key keys/release.pub
leaves_with 0 reproduce runs/first.json

printf '\n\nThe repository, with its ledger: %s\n' "$project"
