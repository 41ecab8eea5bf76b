#!/usr/bin/env bash
# Reads and judges runs from real trackers: MLflow 3 and 2 (server, database, folder), DVC with GTO, DVCLive, W&B
# offline, Sacred. Installs what it needs into virtual environments below target/; talks to 127.0.0.1 alone.
set -euo pipefail
cd "$(dirname "$0")/../.."

for program in python3 git curl openssl; do
  command -v "$program" > /dev/null || { echo "trackers.sh: $program is not installed" >&2; exit 1; }
done
venv() { # NAME PACKAGE…
  local name=$1; shift
  [ -x "target/real/$name/bin/python" ] || python3 -m venv "target/real/$name"
  "target/real/$name/bin/pip" install --quiet --disable-pip-version-check "$@"
}
venv mlflow3 "mlflow==3.17.2" "scikit-learn"
# MLflow 2 does not work with the newest SQLAlchemy, but its requirements allow it.
venv mlflow2 "mlflow==2.22.5" "sqlalchemy<2.1" "scikit-learn"
venv others "dvc==3.67.1" "gto==1.10.1" "dvclive==3.49.1" "wandb==0.31.0" "sacred==0.8.7" "scikit-learn" "setuptools<81"
if [ -z "${GATE:-}" ]; then cargo build --quiet --release; fi
root=$PWD gate=${GATE:-$PWD/target/release/gate} scripts=$PWD/tests/real
work=$(mktemp -d)
server=
finish() { if [ -n "$server" ]; then kill -- "-$server" 2> /dev/null || true; fi; rm -rf "$work"; }
trap finish EXIT
export PYTHONWARNINGS=ignore WANDB_SILENT=true MLFLOW_DISABLE_TELEMETRY=true DVC_NO_ANALYTICS=true GIT_PYTHON_REFRESH=quiet
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.org GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.org
export GIT_CONFIG_GLOBAL=/dev/null

# Runs a command that must exit with this code.
leaves() { # CODE COMMAND…
  local code=$1 got=0; shift
  "$@" > "$work/out" 2>&1 || got=$?
  [ "$got" = "$code" ] || { echo "trackers.sh: $* left with $got, not $code:" >&2; cat "$work/out" >&2; exit 1; }
}
never_says() {
  if grep -q -- "$1" "$work/out"; then echo "trackers.sh: '$1' is in:" >&2; cat "$work/out" >&2; exit 1; fi
}
says() { grep -q -- "$1" "$work/out" || { echo "trackers.sh: '$1' is not in:" >&2; cat "$work/out" >&2; exit 1; }; }

cat > "$work/gate.yaml" << 'YAML'
version: 1
stages: { production: {} }
rules:
  recorded: { require: [params, data_version, validation.digest] }
  holds-up: { metrics: { f1: { min: 0.7, max_drop: 0.005 } } }
YAML

serve() { # VENV DATABASE
  local port
  port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  set -m
  PATH=$root/target/real/$1/bin:$PATH "$root/target/real/$1/bin/mlflow" server --host 127.0.0.1 --port "$port" --workers 1 \
    --backend-store-uri "sqlite:///$2" --artifacts-destination "$work/artifacts-$1" > "$work/server-$1.log" 2>&1 &
  server=$!
  set +m
  for _ in $(seq 120); do
    curl --silent --fail --noproxy '*' "http://127.0.0.1:$port/health" > /dev/null && break
    sleep 0.5
  done
  curl --silent --fail --noproxy '*' "http://127.0.0.1:$port/health" > /dev/null || { cat "$work/server-$1.log" >&2; exit 1; }
  export MLFLOW_TRACKING_URI=http://127.0.0.1:$port NO_PROXY=127.0.0.1
}
stop() { kill -- "-$server" 2> /dev/null || true; wait "$server" 2> /dev/null || true; server=; }

# Checks one version against the alias, through a server and in its database.
judged() { # VENV
  local python=$root/target/real/$1/bin/python database=$work/$1.db
  mkdir -p "$work/$1" && cp "$work/gate.yaml" "$work/$1/" && cd "$work/$1"
  serve "$1" "$database"
  "$python" "$scripts/trackers.py" mlflow "$work/$1" stages > "$work/train-$1.log" 2>&1 || { cat "$work/train-$1.log" >&2; exit 1; }
  leaves 0 "$gate" check mlflow:models:/churn/2 --baseline mlflow:models:/churn@champion; says "version 1, run"
  leaves 0 "$gate" check mlflow:models:/churn/2 --baseline mlflow:models:/churn/Production
  leaves 1 "$gate" check mlflow:models:/churn/3 --baseline mlflow:models:/churn@champion; says "lower than\|below\|dropped\|drop"
  leaves 2 "$gate" check mlflow:models:/churn/9 --baseline mlflow:models:/churn@champion; says "no version 9"
  leaves 2 "$gate" check mlflow:models:/churn/2 --baseline mlflow:models:/churn/latest; says "can't be a baseline"
  for version in 1 2 3; do
    "$gate" show "mlflow:models:/churn/$version" --format json > "$work/by-server.json"
    MLFLOW_TRACKING_URI=sqlite:///$database "$gate" show "mlflow:models:/churn/$version" --format json > "$work/by-database.json"
    "$python" "$scripts/trackers.py" same "$work/by-server.json" "$work/by-database.json" \
      run_id name model status git_commit data_version data validation params metrics artifact created_at ended_at
  done
}

# Records training that logs to MLflow, checks what gate writes back to the run, and downloads, promotes and verifies the
# model.
recorded() { # VENV ADDRESS
  local bin=$root/target/real/$1/bin reference
  rm -rf "$work/recorded" && mkdir -p "$work/recorded" && cd "$work/recorded" && git init --quiet .
  printf 'version: 1\nextends: [{ pack: gate:checklist }]\nstages: { production: {} }\n' > gate.yaml
  printf 'a\n1\n' > train.csv; printf 'a\n2\n' > test.csv; echo "mlflow" > requirements.txt
  git add --all && git commit --quiet --message begin
  TRAINED_TO=$2 leaves 0 "$gate" record --run-id one --data train=train.csv --validation test.csv --data-version 1 --mlflow-tags \
    -- "$bin/python" "$scripts/trackers.py" one-run
  says "tags of the record"
  reference=$("$bin/python" -c "import json; print(json.load(open('runs/one.json'))['recorder']['run'])")
  MLFLOW_TRACKING_URI=$2 leaves 0 "$gate" check "$reference"
  MLFLOW_TRACKING_URI=$2 "$bin/mlflow" artifacts download --artifact-uri models:/recorded/1 --dst-path down > "$work/out" 2>&1 \
    || { cat "$work/out" >&2; exit 1; }
  MLFLOW_TRACKING_URI=$2 leaves 0 "$gate" promote mlflow:models:/recorded/1 --stage production --first --artifact down
  leaves 0 "$gate" verify down --stage production; says "is recorded in production"
}

echo "-- MLflow 3: a server and its database say the same, and are judged alike"
judged mlflow3
python=$root/target/real/mlflow3/bin/python
echo "-- a promotion moves the alias, and an audit finds where it does not lead there"
git init --quiet . && git add gate.yaml && git commit --quiet --message policy
leaves 0 "$gate" promote mlflow:models:/churn/2 --stage production --first --artifact better.pkl --mlflow-alias champion
says "churn@champion points to version 2"
[ "$("$python" "$scripts/trackers.py" alias)" = 2 ] || { echo "trackers.sh: the alias was not moved" >&2; exit 1; }
leaves 0 "$gate" audit --stage production; says "churn@champion points to version 2"
"$python" "$scripts/trackers.py" alias 1 > /dev/null
leaves 1 "$gate" audit --stage production; says "points to version 1, but promotion 1 is for version 2"
echo "-- gate record takes the run that a training logs, and gives it what MLflow does not record"
recorded mlflow3 "$MLFLOW_TRACKING_URI"
cd "$work/mlflow3"
echo "-- a server that is gone is an error, and no verdict"
stop
leaves 2 "$gate" check mlflow:models:/churn/2 --baseline mlflow:models:/churn@champion; says "can't be reached"
unset MLFLOW_TRACKING_URI

echo "-- MLflow 2"
judged mlflow2
stop
unset MLFLOW_TRACKING_URI

recorded mlflow3 "sqlite:///$work/recorded.db"
rm "$work/recorded.db" && recorded mlflow2 "sqlite:///$work/recorded.db"
MLFLOW_ALLOW_FILE_STORE=true recorded mlflow3 "file://$work/recorded-runs"

echo "-- MLflow's folder"
mkdir -p "$work/folder" && cp "$work/gate.yaml" "$work/folder/" && cd "$work/folder"
MLFLOW_ALLOW_FILE_STORE=true MLFLOW_TRACKING_URI=file://$work/folder/mlruns "$python" "$scripts/trackers.py" mlflow "$work/folder" \
  > "$work/train.log" 2>&1 || { cat "$work/train.log" >&2; exit 1; }
leaves 0 "$gate" check mlflow:models:/churn/2 --baseline mlflow:models:/churn@champion
leaves 1 "$gate" check mlflow:models:/churn/3 --baseline mlflow:models:/churn@champion
leaves 0 "$gate" show mlflow:models:/churn/3; says "Infinity"; says "NaN"

echo "-- certificates: those of the environment are trusted, and shown"
mkdir "$work/tls" && cd "$work/tls"
for name in server client; do
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$name" -addext "subjectAltName=IP:127.0.0.1" \
    -addext "basicConstraints=critical,CA:FALSE" -keyout $name.key -out $name.crt 2> /dev/null
  cat $name.crt $name.key > $name.pem
done
secure() { # ARGUMENTS OF THE SERVER…
  set -m
  "$python" "$scripts/trackers.py" https "$@" > port 2> server.log &
  server=$!
  set +m
  for _ in $(seq 100); do [ -s port ] && break; sleep 0.1; done
  local port
  port=$(cat port)
  export MLFLOW_TRACKING_URI=https://127.0.0.1:$port MLFLOW_HTTP_REQUEST_MAX_RETRIES=0
}
secure server.pem
leaves 2 "$gate" show mlflow:runs:/abc; says "can't be reached"
MLFLOW_TRACKING_SERVER_CERT_PATH=server.crt leaves 2 "$gate" show mlflow:runs:/abc; says "there is no run .abc"
MLFLOW_TRACKING_INSECURE_TLS=true leaves 2 "$gate" show mlflow:runs:/abc; says "there is no run .abc"
MLFLOW_TRACKING_SERVER_CERT_PATH=port leaves 2 "$gate" show mlflow:runs:/abc; says "certificate"
stop; rm port
secure server.pem client.crt
export MLFLOW_TRACKING_SERVER_CERT_PATH=server.crt
leaves 2 "$gate" show mlflow:runs:/abc; never_says "there is no run"
MLFLOW_TRACKING_CLIENT_CERT_PATH=client.pem leaves 2 "$gate" show mlflow:runs:/abc; says "there is no run .abc"
stop
unset MLFLOW_TRACKING_URI MLFLOW_HTTP_REQUEST_MAX_RETRIES MLFLOW_TRACKING_SERVER_CERT_PATH

python=$root/target/real/others/bin/python
export PATH=$root/target/real/others/bin:$PATH
mkdir -p "$work/others/plain" && cp "$work/gate.yaml" "$work/others/" && cd "$work/others"
echo "-- plain records, W&B, Sacred, DVCLive"
"$python" "$scripts/trackers.py" plain plain
(cd "$work/others" && git init --quiet . && git add gate.yaml && git commit --quiet --message begin)
"$python" "$scripts/trackers.py" wandb "$work/others" > "$work/train.log" 2>&1 || { cat "$work/train.log" >&2; exit 1; }
"$python" "$scripts/trackers.py" sacred "$work/others/sacred" > "$work/train.log" 2>&1 || { cat "$work/train.log" >&2; exit 1; }
"$python" "$scripts/trackers.py" dvclive "$work/others/live" > "$work/train.log" 2>&1 || { cat "$work/train.log" >&2; exit 1; }
run() { sed -n "$1p" runs.txt; } # baseline, better, worse, of two seeds each, and the one that was killed
leaves 0 "$gate" check plain/better.json --baseline plain/baseline.json
leaves 1 "$gate" check plain/worse.json --baseline plain/baseline.json
leaves 0 "$gate" check "wandb/$(run 3)" --baseline "wandb/$(run 1)"
leaves 1 "$gate" check "wandb/$(run 5)" --baseline "wandb/$(run 1)"
leaves 1 "$gate" check "wandb/$(run 7)" --baseline "wandb/$(run 1)"; says "did not finish"
leaves 0 "$gate" check sacred/2 --baseline sacred/1
leaves 1 "$gate" check sacred/3 --baseline sacred/1
for kept in "wandb/$(run 3)" sacred/2; do
  "$gate" show plain/better.json --format json > "$work/plain.json"
  "$gate" show "$kept" --format json > "$work/kept.json"
  "$python" -c "
import json, sys
plain, kept = (json.load(open(path)) for path in sys.argv[1:])
value = lambda run: run['metrics']['f1'] if not isinstance(run['metrics']['f1'], dict) else run['metrics']['f1']['value']
assert value(plain) == value(kept), (value(plain), value(kept))
assert all(plain[key] == kept[key] for key in ('validation', 'data_version', 'seed') if key in plain)
" "$work/plain.json" "$work/kept.json"
done
leaves 0 "$gate" show live/better; says "metrics.valid_log_loss.points"
holds() { # REFERENCE EXPRESSION…
  "$gate" show "$1" --format json > "$work/record.json" && shift
  "$python" "$scripts/trackers.py" holds "$work/record.json" "$@"
}
echo "-- W&B: parts of a run, an id that is used again, summaries of their own"
mkdir "$work/parts" && cd "$work/parts"
"$python" "$scripts/trackers.py" wandb-parts "$work/parts" > "$work/train.log" 2>&1 || { cat "$work/train.log" >&2; exit 1; }
for part in 1 2; do
  holds "wandb/$(sed -n ${part}p parts.txt)" "value('f1') == 0.81" "value('auc') == 0.9" "run['environment']['python']"
done
holds "wandb/$(sed -n 3p parts.txt)" "list(run['metrics']) == ['recall']" "run['project'] == 'other'"
holds "wandb/$(sed -n 4p parts.txt)" "list(run['metrics']) == ['v_loss']" "value('v_loss') == 2"

echo "-- DVC and GTO"
mkdir "$work/dvc" && cd "$work/dvc" && git init --quiet --initial-branch=main . && dvc init --quiet
cp "$scripts/trackers.py" train.py && echo "model: baseline" > params.yaml
cat > dvc.yaml << YAML
stages:
  train:
    cmd: $python train.py stage \${model}
    deps: [train.py]
    params: [model]
    outs: [model.pkl]
    metrics:
      - metrics.json:
          cache: false
artifacts:
  churn: { path: model.pkl, type: model }
YAML
cat > gate.yaml << 'YAML'
version: 1
baseline: dvc:.@churn#prod
comparable: [params.none, model]
rules:
  holds-up: { metrics: { f1: { min: 0.7, max_drop: 0.005 } } }
YAML
dvc repro --quiet && git add --all && git commit --quiet --message baseline
gto register churn --version v1.0.0 > /dev/null && gto assign churn --version v1.0.0 --stage prod > /dev/null
echo "model: better" > params.yaml && dvc repro --quiet && git add --all && git commit --quiet --message better
leaves 0 "$gate" check .; says "churn#prod#1, commit"
leaves 0 "$gate" check dvc:.@HEAD
dvc metrics show --json > "$work/theirs.json" && "$gate" show . --format json > "$work/ours.json"
"$python" -c "
import json, sys
theirs, ours = (json.load(open(path)) for path in sys.argv[1:])
theirs = theirs['']['data']['metrics.json']['data']
assert ours['metrics']['f1'] == theirs['f1'] and ours['metrics']['valid.log_loss'] == theirs['valid']['log_loss'], (ours, theirs)
" "$work/theirs.json" "$work/ours.json"
echo "model: worse" > params.yaml
leaves 1 "$gate" check .; says "stale"
dvc status --quiet && { echo "trackers.sh: dvc finds nothing stale" >&2; exit 1; }
dvc repro --quiet && git add --all && git commit --quiet --message worse
leaves 1 "$gate" check .; says "drop"
dvc status --quiet
# Data in a folder that changed without the lock.
mkdir data && echo 1 > data/a.csv && mkdir data/b && echo 2 > "data/b/ö 1.csv" && sed -i 's/deps: \[train.py\]/deps: [train.py, data]/' dvc.yaml
touch data/b-c.csv data/B.csv && dvc repro --quiet && leaves 1 "$gate" check . && says "drop"
never_says stale
echo 3 > data/a.csv
leaves 1 "$gate" check .; says "is not what the stage"

echo "-- DVC: templates, metrics in the cache, data with a file of its own, a pipeline in a folder"
mkdir -p "$work/pipes/pipe" "$work/pipes/data" && cd "$work/pipes" && git init --quiet --initial-branch=main . && dvc init --quiet
cat > pipe/e.py << 'PYTHON'
import json, sys
json.dump({"f1": float(sys.argv[1])}, open(sys.argv[2], "w"))
PYTHON
cat > pipe/dvc.yaml << 'YAML'
stages:
  ev:
    matrix: { seed: [0.80, 0.81], model: [cnn] }
    cmd: python3 e.py ${item.seed} s${item.seed}.json ${rate}
    deps: [e.py, ../data/t.csv]
    params: [../common.yaml: [a]]
    metrics: ["s${item.seed}.json"]
YAML
printf 'rate: 1e-5\n' > pipe/params.yaml; printf 'a: 0o14\n' > common.yaml; echo 1 > data/t.csv
printf 'version: 1\nseeds: stage\nrules:\n  r: { metrics: { f1: { min: 0.5 } } }\n' > gate.yaml
dvc add --quiet data/t.csv && (cd pipe && dvc repro --quiet) && git add --all && git commit --quiet --message base
fresh() { for name in pipe dvc:pipe@HEAD; do holds "$name" "run['status'] == 'finished'" "run['metrics']['f1']['values'] == [0.8, 0.81]"; done; }
stale() { # WHAT
  dvc status --quiet && { echo "trackers.sh: dvc finds nothing stale" >&2; exit 1; }
  leaves 1 "$gate" check pipe; says "$1"
  git checkout --quiet . && dvc checkout --quiet
}
fresh
rm pipe/s*.json && fresh && dvc checkout --quiet
sed -i 's/1e-5/2e-5/' pipe/params.yaml && stale "the command of the stage"
sed -i 's/0o14/0o15/' common.yaml && stale "in .../common.yaml. is not what"
sed -i 's/0.81\]/0.81, 0.9]/' pipe/dvc.yaml && stale "ev@0.9-cnn. was never run"
sed -i 's/metrics: .*/metrics: [m2.json]/' pipe/dvc.yaml && echo '{"f1": 0.99}' > pipe/m2.json && stale "never wrote .m2.json"
echo 2 > data/t.csv && dvc add --quiet data/t.csv && git add --all && git commit --quiet --message data && rm data/t.csv
leaves 1 "$gate" check pipe; says "data/t.csv. is not what the stage"
git checkout --quiet HEAD~1 && dvc checkout --quiet && fresh
forged=$(find .dvc/cache/files/md5 -type f -exec grep -l '0.81' {} +) && chmod u+w "$forged" && echo '{"f1": 0.1}' > "$forged"
leaves 2 "$gate" show dvc:pipe@HEAD; says "is not the file that its name says"

echo "-- GTO: what it takes away"
cd "$work/dvc"
gto assign churn --version v1.0.0 --stage live --simple true > /dev/null; leaves 0 "$gate" show dvc:.@churn#live
gto deprecate churn v1.0.0 prod > /dev/null; leaves 2 "$gate" show dvc:.@churn#prod; says "no tag of GTO"
gto register proj/a:bahn --version v0.1.0 > /dev/null; leaves 0 "$gate" show dvc:.@proj/a:bahn@v0.1.0
sleep 1
gto deprecate churn v1.0.0 > /dev/null; leaves 2 "$gate" show dvc:.@churn@v1.0.0; says "deregistered the version"
gto deprecate proj/a:bahn > /dev/null; leaves 2 "$gate" show dvc:.@proj/a:bahn@v0.1.0; says "deprecated the artifact"

echo "runs of real trackers are read and judged"
