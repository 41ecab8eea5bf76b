"""Writes the data of this example: customers, some of whom left. The same seed gives the same bytes."""

import csv
import pathlib

import numpy as np

REGIONS = ["north", "south", "east", "west"]
COLUMNS = ["id", "tenure_months", "monthly_charge", "support_calls", "contract_months", "paperless", "region", "churned"]


def customers(count, seed):
    draw = np.random.default_rng(seed)
    tenure = draw.gamma(2.0, 14.0, count).clip(1, 72)
    charge = draw.normal(64, 24, count).clip(15, 130)
    calls = draw.poisson(1.4, count)
    contract = draw.choice([1, 12, 24], count, p=[0.55, 0.25, 0.20])
    paperless = draw.integers(0, 2, count)
    region = draw.integers(0, len(REGIONS), count)
    score = -1.1 - 0.055 * tenure + 0.022 * charge + 0.75 * calls - 0.11 * contract + 0.3 * paperless
    churned = (draw.random(count) < 1 / (1 + np.exp(-score))).astype(int)
    for row in range(count):
        yield [
            f"c{row:05d}",
            f"{tenure[row]:.1f}",
            f"{charge[row]:.2f}",
            calls[row],
            contract[row],
            paperless[row],
            REGIONS[region[row]],
            churned[row],
        ]


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)


if __name__ == "__main__":
    folder = pathlib.Path(__file__).parent / "data"
    everyone = list(customers(6000, seed=20260530))
    write(folder / "train.csv", everyone[:2000])
    write(folder / "validation.csv", everyone[2000:4000])
    # Other customers: a split that no one agreed on.
    write(folder / "validation-other.csv", everyone[4000:])
