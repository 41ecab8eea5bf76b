"""Runs commands in turns, so that other load on the machine affects all of them alike, and prints ratios."""

import os
import resource
import statistics
import subprocess
import sys
import time

FORMATS = ["human", "json", "markdown", "github"]


def once(command, folder):
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    took = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{command} left with {done.returncode}")
    return took


def in_turns(commands, folder, rounds):
    """The medians, after one warm-up round."""
    taken = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            seconds = once(command, folder)
            if number:
                taken[name].append(seconds)
    return {name: statistics.median(seconds) for name, seconds in taken.items()}


def peak_megabytes(command, folder):
    """The largest resident set of one run, in millions of bytes."""
    pid = os.fork()
    if pid == 0:
        os.chdir(folder)
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.execvp(command[0], command)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def git_calls(command, folder, shim):
    """How many times a run starts git."""
    log = os.path.join(shim, "calls")
    open(log, "w").close()
    environment = {**os.environ, "PATH": shim + os.pathsep + os.environ["PATH"], "CALLS": log}
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=False)
    with open(log) as calls:
        return sum(1 for _ in calls)


def main(gate, nothing, python, one, with_git, many, most, shim):
    check = [gate, "check", "runs/00001.json"]
    start = in_turns({"nothing": [nothing], "gate": check}, one, 300)
    print(f"start-up: a process that does nothing {start['nothing'] * 1e3:.2f} ms, gate check on one record with ten "
          f"rules {start['gate'] * 1e3:.2f} ms: {start['gate'] / start['nothing']:.2f} times")
    git = in_turns({"nothing": [nothing], "gate": check, "git": ["git", "--version"]}, with_git, 100)
    calls = git_calls(check, with_git, shim)
    beyond = (git["gate"] - 3 * git["nothing"]) / git["git"]
    print(f"with git:main: {git['gate'] * 1e3:.2f} ms, {calls} calls of git; beyond three times nothing it takes what "
          f"{beyond:.1f} runs of `git --version` take")
    formats = {form: [gate, "check", "--all", "--format", form] for form in FORMATS}
    all_of_them = {**formats, "jsonschema": [python, sys.argv[0].replace("measure", "with_jsonschema"), many]}
    taken = in_turns(all_of_them, many, 5)
    print(f"10,000 records, ten rules: Python's json with jsonschema {taken['jsonschema']:.2f} s")
    for form, command in formats.items():
        few, more = peak_megabytes(command, many), peak_megabytes(command, most)
        print(f"  {form}: {taken[form]:.2f} s, {taken['jsonschema'] / taken[form]:.1f} times faster; peak memory "
              f"{few:.0f} MB, on 100,000 records {more:.0f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
