"""Secrets on a command line, which no record keeps. The rules are those of `gate record`."""

from __future__ import annotations

import re

_ANYWHERE = set(
    "password passwd passphrase pwd secret secrets credential credentials authorization bearer apikey accesskey "
    "secretkey".split()
)
_LAST = {"token", "key", "auth", "pass", "authtoken", "accesstoken"}
_HARMLESS = set(
    "bos cache class cls column data disable enable end eos feature foreign group has id image index input is join "
    "label mask max metric min multi n need new no num output pad partition per primary prompt public require sep "
    "single skip sort special start stop target text trigger unk use value with without first second".split()
)
HIDDEN = "***"


def is_secret_name(name: str) -> bool:
    """Whether an option or a variable of that name holds a secret: `--hf-token`, but not `--max-tokens`."""
    parts = [part for part in re.split(r"[^a-z0-9]+", name.lower()) if part]
    if not parts or parts[0] in ("no", "use", "with", "without", "skip"):
        return False
    if any(part in _ANYWHERE or part.endswith(("password", "secret")) for part in parts):
        return True
    if len(parts) > 1 and parts[-2:] == ["key", "id"]:
        parts.pop()
    if len(parts) > 1:
        return parts[-1] in _LAST and parts[-2] not in _HARMLESS
    if parts == ["key"]:
        return name.startswith("-")
    return parts[0] in _LAST


def without_secrets(command: list[str]) -> list[str]:
    """The words of a command, with the values of secrets replaced."""
    clean: list[str] = []
    hide_next = False
    for word in command:
        name, equals, _ = word.partition("=")
        if hide_next and not word.startswith("-"):
            clean.append(HIDDEN)
            hide_next = False
            continue
        hide_next = False
        if equals and is_secret_name(name):
            clean.append(f"{name}={HIDDEN}")
            continue
        if word.startswith("-") and is_secret_name(word):
            hide_next = True
        clean.append(re.sub(r"(?<=://)[^/@\s]+@", f"{HIDDEN}@", word))
    return clean
