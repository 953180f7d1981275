"""`python -m tests.pip_audit`: known holes in the pinned packages, where the advisory database can be reached.

What could not be asked is said and is no failure: a machine without the internet can still run `make test`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

COMMAND = ["--requirement", "requirements.txt", "--no-deps", "--disable-pip", "--format", "json"]
QUIET = ["--progress-spinner", "off", "--timeout", "10"]
TIMEOUT_SECONDS = 120


def main() -> int:
    found = ask()
    if found is None:
        print("pip-audit: the advisory database cannot be reached; no package was looked at.")
        return 0
    lines, code = summarize(found)
    print("\n".join(lines))
    return code


def ask() -> list[dict[str, Any]] | None:
    """What pip-audit knows of each package, or None."""
    command = [sys.executable, "-m", "pip_audit", *COMMAND, *QUIET]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        return json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        return None


def summarize(found: list[dict[str, Any]]) -> tuple[list[str], int]:
    """What to print, and the exit code: 1 for a hole that has a mended version or not."""
    skipped = [one["name"] for one in found if "skip_reason" in one]
    vulnerabilities = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version yet'}"
        for one in found
        for hole in one.get("vulns", [])
    ]
    if len(skipped) == len(found):
        return ["pip-audit: the advisory database knows none of the packages; nothing was looked at."], 0
    summary = f"pip-audit: {len(found) - len(skipped)} packages, {len(vulnerabilities)} known holes"
    return [*vulnerabilities, f"{summary}, {len(skipped)} packages unknown."], 1 if vulnerabilities else 0


if __name__ == "__main__":
    sys.exit(main())
