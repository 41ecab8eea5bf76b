#!/bin/sh
# Trains a logistic regression with nothing but awk, measures it on the validation split, and tells the gate what came
# out: train.sh EPOCHS MODEL
set -eu
epochs=$1 model=$2
say() { if [ -n "${GATE_RECORD_FILE:-}" ]; then echo "$1" >> "$GATE_RECORD_FILE"; fi; }
say "params.epochs=$epochs"
say "params.rate=0.05"

LC_ALL=C awk -F, -v epochs="$epochs" -v rate=0.05 -f train.awk pass=train data/train.csv > "$model"
LC_ALL=C awk -F, -f train.awk pass=validate model="$model" data/validation.csv |
while read -r line; do say "$line"; done
