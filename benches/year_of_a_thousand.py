#!/usr/bin/env python3
"""How long `stopgap simulate` takes for a year of many instances, and how much memory.

    cargo build -p stopgap --no-default-features
    python3 benches/year_of_a_thousand.py [--instances 1000] [--days 365] [--binary target/release/stopgap]

Makes an inventory in the temporary folder: instances of one to four volumes in two Regions, some stopped, some in Auto Scaling
groups, a fifth in clusters whose members take turns, a fifth copied every hour. The binary is that of `cargo stopgap` unless
another is named.
"""

import argparse
import json
import os
import resource
import subprocess
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
ATTACHED = "2025-01-01T00:00:00+00:00"
BACKUP = ["nightly", "nightly", "nightly", "cluster", "hourly"]


def policy(name, expression, retention, **more):
    select = {"any": [{"tag": {"Backup": [name]}}]}
    return {"id": name, "select": select, "schedule": {"expression": expression}, "retention": retention, **more}


USUAL = [
    policy("nightly", "cron(0 2 * * ? *)", {"keep_daily": 7, "keep_weekly": 4, "keep_monthly": 12}),
    policy("cluster", "cron(0 3 * * ? *)", {"keep_for": "14d"}, concurrency={"group_by": "tag:Cluster", "max": 1}),
    policy("hourly", "rate(1 hour)", {"keep_hourly": 24, "keep_daily": 7}, consistency="crash"),
]


def write(folder, instances):
    described, volumes = [], []
    for n in range(instances):
        instance_id, region = f"i-{n:017x}", "us-east-1" if n % 3 else "eu-west-1"
        mappings = []
        for v in range(1 + n % 4):
            volume_id, device = f"vol-{n * 4 + v:017x}", "/dev/xvda" if v == 0 else f"/dev/sd{chr(101 + v)}"
            mappings.append({"DeviceName": device, "Ebs": {"VolumeId": volume_id, "AttachTime": ATTACHED}})
            attachment = {"InstanceId": instance_id, "VolumeId": volume_id, "Device": device, "State": "attached", "AttachTime": ATTACHED}
            volumes.append(
                {"VolumeId": volume_id, "Size": 20 + 80 * ((n + v) % 5), "VolumeType": "gp3", "State": "in-use", "Attachments": [attachment]}
            )
        tags = {"Name": f"db-{n}", "Backup": BACKUP[n % 5], "Cluster": f"c{n // 20}"}
        if n % 10 == 1:
            tags["aws:autoscaling:groupName"] = f"web-{n // 40}"
        described.append(
            {
                "InstanceId": instance_id,
                "State": {"Code": 16, "Name": "stopped" if n % 25 == 7 else "running"},
                "Placement": {"AvailabilityZone": f"{region}a"},
                "RootDeviceName": "/dev/xvda",
                "BlockDeviceMappings": mappings,
                "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
            }
        )
    (folder / "instances.json").write_text(json.dumps({"Reservations": [{"OwnerId": "111122223333", "Instances": described}]}))
    (folder / "volumes.json").write_text(json.dumps({"Volumes": volumes}))
    (folder / "snapshots.json").write_text(json.dumps({"Snapshots": []}))
    (folder / "policies.json").write_text(json.dumps(USUAL))
    (folder / "one-policy.json").write_text(json.dumps(USUAL[0]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=365)
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target"))
    parser.add_argument("--binary", type=Path, default=target / "debug/stopgap")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        write(folder, args.instances)
        print("| Policies | Runs | Played | Processor time (s) | Time (s) | Memory (MiB) |\n|---|---|---|---|---|---|")
        for file, what in [("one-policy.json", "one, nightly"), ("policies.json", "nightly, clusters in turns, hourly")]:
            command = [args.binary, "simulate", "--inventory", folder, "--policies", folder / file, "--json"]
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
            command += ["--from", "2026-12-01T00:00:00Z", "--days", str(args.days)]
            answer = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            runs, played = answer["totals"]["runs"], answer["engine"]["runs_played"]
            # The largest of all children so far; the second is the larger.
            print(f"| {what} | {runs:,} | {played} | {processor:.1f} | {took:.1f} | {after.ru_maxrss // 1024} |")


if __name__ == "__main__":
    main()
