#!/usr/bin/env python3
"""How long `stopgap retention` takes for many snapshots, and how much memory.

    cargo build --release -p stopgap --no-default-features
    python3 benches/many_snapshots.py [--snapshots 1000000] [--volumes 100000] [--as-the-cli-prints]

Makes a file as `aws ec2 describe-snapshots` prints it, in the temporary folder, in no order, as EC2 answers: instances of
two volumes, sets of nightly backups, each snapshot with stopgap's tags and two of its instance's. It stays there, to be
used again.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PER_INSTANCE = 2
NEWEST = datetime(2026, 11, 21, 2, tzinfo=timezone.utc)
POLICY = {
    "id": "nightly",
    "select": {"any": [{"name": "*"}]},
    "schedule": {"expression": "cron(0 2 * * ? *)", "timezone": "America/Chicago"},
    "retention": {"keep_for": "2d", "keep_daily": 3, "keep_weekly": 2, "keep_monthly": 2, "at_least": 2},
}


def snapshot(volume, night, number):
    instance = volume // PER_INSTANCE
    at = NEWEST - timedelta(days=night)
    tags = {
        "stopgap:policy": "nightly",
        "stopgap:instance": f"i-{instance:017x}",
        "stopgap:occurrence": f"nightly/{at:%Y-%m-%dT%H:%M:%SZ}",
        "stopgap:volumes": str(PER_INSTANCE),
        "stopgap:device": "/dev/xvda",
        "Name": f"db-{instance}",
        "Env": "prod",
    }
    return {
        "Description": f"stopgap nightly of i-{instance:017x}",
        "Encrypted": True,
        "OwnerId": "111122223333",
        "Progress": "100%",
        "SnapshotId": f"snap-{number * 2654435761 % (1 << 68):017x}",
        "StartTime": f"{at + timedelta(seconds=137):%Y-%m-%dT%H:%M:%S.%f}+00:00",
        "State": "completed",
        "VolumeId": f"vol-{volume:017x}",
        "VolumeSize": 100,
        "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
    }


def write(path, snapshots, volumes, indent):
    numbers = list(range(snapshots))
    random.Random(1).shuffle(numbers)
    with open(path, "w") as file:
        file.write('{"Snapshots": [')
        for count, number in enumerate(numbers):
            item = snapshot(number % volumes, number // volumes, number)
            file.write((",\n" if count else "\n") + json.dumps(item, indent=indent))
        file.write("\n]}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=1_000_000)
    parser.add_argument("--volumes", type=int, default=100_000)
    parser.add_argument("--as-the-cli-prints", action="store_true", help="indented, twice as large")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    folder = Path(tempfile.gettempdir())
    indent = 4 if args.as_the_cli_prints else None
    path = folder / f"stopgap-{args.snapshots}-{args.volumes}-{indent or 0}.json"
    if not path.exists():
        write(path, args.snapshots, args.volumes, indent)
    policy = folder / "stopgap-many-policy.json"
    policy.write_text(json.dumps(POLICY))
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    command = [target / "release/stopgap", "retention", "--policy", policy, "--snapshots", path]
    command += ["--at", "2026-11-21T12:00:00Z", "--json"]
    print(f"{path.stat().st_size / 1e6:.0f} MB in {path}")
    for _ in range(args.runs):
        start, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        peak = after.ru_maxrss / 1024
        print(f"{time.monotonic() - start:.2f} s, {cpu:.2f} s of one core, at most {peak:.0f} MiB")


if __name__ == "__main__":
    main()
