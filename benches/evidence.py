"""Times metrics and limits in `gate` and in the tools that people use instead, in turns in one run. `gate` is timed from
start to exit, the others without starting Python and its libraries.

Usage: evidence.py GATE PYTHON FOLDER ROUNDS
"""
import os
import statistics
import subprocess
import sys
import time

OTHERS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "evidence_others.py")


def run(command, folder, says_so=False):
    """The seconds that it took, as it reports them if `says_so`, and the largest resident set in millions of bytes."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    took = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"{command} exited with {process.returncode}\n{said}")
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    return (float(said) if says_so else took), peak


def main(gate, python, folder, rounds):
    show = [gate, "show", "--cases", "run.json", "--format", "json"]
    check = [gate, "check", "candidate.json", "--baseline", "baseline.json"]
    measured = [
        ("F1 overall and by slice", "many", show, ["duckdb", "scikit_learn", "scikit_learn_ids"]),
        ("an interval of an F1 difference, 100,000 pairs", "f1", check, ["f1_bootstrap"]),
        ("BCa of average precision, 1,000 pairs", "average_precision", check,
         ["precision_bootstrap", "precision_bootstrap_arrays"]),
        ("AUC with DeLong, 1,000,000 pairs", "roc_auc", check, ["delong"]),
    ]
    for what, place, ours, others in measured:
        place = os.path.join(folder, place)
        taken = {name: [] for name in ("gate", *others)}
        for _ in range(int(rounds)):
            taken["gate"].append(run(ours, place))
            for name in others:
                taken[name].append(run([python, OTHERS, name], place, True))
        median = {name: [statistics.median(each) for each in zip(*runs)] for name, runs in taken.items()}
        ours, peak = median["gate"]
        print(f"{what}: gate {ours:.2f} s, {peak:.0f} MB")
        for name in others:
            theirs, peak = median[name]
            print(f"  {name}: {theirs:.2f} s, {theirs / ours:.2f} times gate's; {peak:.0f} MB", flush=True)
    print(f"memory of `gate show` on a tenth of the rows: {run(show, os.path.join(folder, 'few'))[1]:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
