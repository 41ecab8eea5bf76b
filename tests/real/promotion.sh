#!/usr/bin/env bash
# Other tools verify what gate signs: openssl, Python's securesystemslib and in-toto-attestation, and sha256sum.
# Installs what it needs into a virtual environment below target/.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in python3 openssl sha256sum; do
  command -v "$program" > /dev/null || { echo "promotion.sh: $program is not installed" >&2; exit 1; }
done
python3 -m venv target/real/promotion
target/real/promotion/bin/pip install --quiet --disable-pip-version-check \
  "securesystemslib[crypto]==1.3.1" "in-toto-attestation==0.9.3"
cargo build --quiet
gate=$PWD/target/debug/gate python=$PWD/target/real/promotion/bin/python
scripts=$PWD/tests/real
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

GATE=$gate examples/release/release.sh "$work/release" > "$work/release.log" || { cat "$work/release.log"; exit 1; }
cd "$work/release"

echo "-- a second key, on P-256, signs beside the first"
"$gate" key new hsm.key --type p256 > /dev/null
"$gate" promote runs/second.json --stage staging --key release.key --key hsm.key > /dev/null
envelope=$(ls ledger/churn/staging/000003-*.intoto.json)

echo "-- openssl reads the keys, and verifies both signatures over the pre-authentication encoding"
openssl pkey -in release.key -noout && openssl pkey -in hsm.key -noout
"$python" "$scripts/promotion.py" split "$envelope" "$work"
openssl pkeyutl -verify -rawin -pubin -inkey keys/release.pub -in "$work/pae" -sigfile "$work/sig0"
openssl dgst -sha256 -verify hsm.key.pub -signature "$work/sig1" "$work/pae"

echo "-- the payload is the very bytes of the statement"
cmp "$work/payload" ledger/churn/staging/000003.json

echo "-- keys that openssl made sign, and verify"
openssl genpkey -algorithm ed25519 -out made.key 2> /dev/null
openssl pkey -in made.key -pubout -out made.pub
"$gate" promote runs/second.json --stage staging --key made.key --trusted-key keys/release.pub --trusted-key made.pub > /dev/null
"$gate" verify models/second.txt --stage staging --key made.pub > /dev/null
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out made-p.key 2> /dev/null
openssl pkey -in made-p.key -pubout -out made-p.pub
"$gate" promote runs/second.json --stage staging --key made-p.key --trusted-key made.pub --trusted-key made-p.pub > /dev/null
"$gate" verify models/second.txt --stage staging --key made-p.pub > /dev/null

echo "-- securesystemslib verifies the envelope with both keys, and no changed one; in-toto-attestation reads the statement"
"$python" "$scripts/promotion.py" verify "$envelope" keys/release.pub hsm.key.pub

echo "-- what securesystemslib signed is verified by gate"
"$python" "$scripts/promotion.py" sign "$work/payload" made.key "$work/theirs.json"
"$gate" verify models/second.txt --stage staging --key made.pub --attestation "$work/theirs.json" > /dev/null

echo "-- the digest of a folder is that of what sha256sum prints"
mkdir -p model/tokenizer && echo '{}' > model/config.json && echo weights > model/weights.bin && echo words > "model/tokenizer/two words.txt"
theirs=$(cd model && find . -type f | cut -c3- | LC_ALL=C sort | xargs -d '\n' sha256sum | sha256sum | cut -d' ' -f1)
ours=$("$gate" verify model --stage staging --format json | "$python" -c 'import json, sys; print(json.load(sys.stdin)["sha256"])' || true)
[ "$ours" = "$theirs" ] || { echo "promotion.sh: the folder is $ours, and sha256sum says $theirs" >&2; exit 1; }

echo "promotions are read by others"
