#!/bin/sh
# Makes every run record of this example again, by training: pip install -r requirements.txt, then ./train_all.sh
# The notebook needs nbclient and ipykernel as well.
set -eu
cd "$(dirname "$0")"
python make_data.py

# What is in production, and a candidate that is better.
python train.py --name baseline --c 0.1 --record approved/churn.json
python train.py --name better --c 1.0 --threshold 0.42

# One candidate for each mistake that experiment tracking is for.
mistake() { name=$1; shift; python train.py --name "$name" --record "runs/mistakes/$name.json" --threshold 0.42 "$@"; }
mistake worse --c 0.02 --threshold 0.5
mistake other-split --validation data/validation-other.csv
mistake no-data-version --forget data_version --forget data
mistake no-metrics --forget metrics
mistake no-artifact --forget artifact
mistake no-commit --forget git_commit --forget git_dirty
mistake not-reproducible --forget seed --forget command --forget environment
mistake nan-metric --threshold 1.1

# A model file without the run that produced it: the file was replaced by another training, which left no record.
mistake replaced-model
python train.py --name replaced-model --c 0.02 --record /dev/null

# Notebook output as the only record: what was exported from it knows neither its code nor its command.
python -c '
import nbformat, nbclient
notebook = nbformat.read("churn.ipynb", as_version=4)
nbclient.NotebookClient(notebook, kernel_name="python3").execute()
for cell in notebook.cells:
    cell.metadata.pop("execution", None)
notebook.metadata = {"language_info": {"name": "python"}}
nbformat.write(notebook, "churn.ipynb")
'
