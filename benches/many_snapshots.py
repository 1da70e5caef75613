#!/usr/bin/env python3
"""How long `stopgap retention` and `stopgap plan` take for many snapshots, and how much memory.

    cargo build --release -p stopgap --no-default-features
    python3 benches/many_snapshots.py [--snapshots 1000000] [--volumes 100000] [--as-the-cli-prints]

Makes files as `aws ec2 describe-snapshots`, `-instances` and `-volumes` print them, in a folder in the temporary folder:
snapshots in no order, as EC2 answers; instances of two volumes, sets of nightly backups, each snapshot with stopgap's tags
and two of its instance's. They stay there, to be used again.
"""

import argparse
import json
import os
import random
import subprocess
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PER_INSTANCE = 2
NEWEST = datetime(2026, 11, 21, 2, tzinfo=timezone.utc)
# Half an hour after 2 o'clock in Chicago, so that every instance is due.
AT = "2026-11-21T08:30:00Z"
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


def reservation(number):
    placed = {"VpcId": "vpc-4a9ff72e", "SubnetId": "subnet-15452171"}
    address = {
        "PrivateDnsName": f"ip-10-{number >> 16}-{number >> 8 & 255}-{number & 255}.eu-west-1.compute.internal",
        "PrivateIpAddress": f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}",
    }
    attached = {"Status": "attached", "DeleteOnTermination": True, "AttachTime": "2026-01-29T20:45:59+00:00"}
    devices = [f"/dev/xvd{'abcdefgh'[n]}" for n in range(PER_INSTANCE)]
    volumes = [f"vol-{number * PER_INSTANCE + n:017x}" for n in range(PER_INSTANCE)]
    instance = {
        "InstanceId": f"i-{number:017x}",
        "ImageId": "ami-b04e92d0",
        "InstanceType": "m7i.large",
        "LaunchTime": "2026-01-29T20:45:59+00:00",
        "State": {"Code": 16, "Name": "running"},
        "Placement": {"Tenancy": "default", "GroupName": "", "AvailabilityZone": "eu-west-1a"},
        "Monitoring": {"State": "disabled"},
        **placed,
        **address,
        "SecurityGroups": [{"GroupName": "default", "GroupId": "sg-f9cc4d9f"}],
        "NetworkInterfaces": [
            {
                "NetworkInterfaceId": f"eni-{number:017x}",
                "Status": "in-use",
                **placed,
                **address,
                "PrivateIpAddresses": [{"Primary": True, **address}],
                "Attachment": {**attached, "DeviceIndex": 0, "AttachmentId": f"eni-attach-{number:017x}"},
                "Groups": [{"GroupName": "default", "GroupId": "sg-f9cc4d9f"}],
            }
        ],
        "RootDeviceType": "ebs",
        "RootDeviceName": devices[0],
        "BlockDeviceMappings": [
            {"DeviceName": device, "Ebs": {**attached, "VolumeId": volume}} for device, volume in zip(devices, volumes)
        ],
        "Tags": [{"Key": "Name", "Value": f"db-{number}"}, {"Key": "Env", "Value": "prod"}],
    }
    return {"OwnerId": "111122223333", "ReservationId": f"r-{number:017x}", "Groups": [], "Instances": [instance]}


def volume(number):
    attachment = {
        "InstanceId": f"i-{number // PER_INSTANCE:017x}",
        "VolumeId": f"vol-{number:017x}",
        "Device": f"/dev/xvd{'abcdefgh'[number % PER_INSTANCE]}",
        "State": "attached",
        "DeleteOnTermination": True,
    }
    return {
        "VolumeId": f"vol-{number:017x}",
        "AvailabilityZone": "eu-west-1a",
        "Size": 100,
        "VolumeType": "gp3",
        "State": "in-use",
        "Attachments": [attachment],
    }


def write(path, array, items, indent):
    if path.exists():
        return
    with open(path, "w") as file:
        file.write(f'{{"{array}": [')
        for count, item in enumerate(items):
            file.write((",\n" if count else "\n") + json.dumps(item, indent=indent))
        file.write("\n]}\n")


def measure(words):
    """Runs a command and prints how long it took, and how much memory."""
    start = time.monotonic()
    command = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(command.pid, 0)
    wall = time.monotonic() - start
    if status:
        raise SystemExit(f"{words[1]} failed")
    peak = used.ru_maxrss / 1024
    print(f"{words[1]}: {wall:.2f} s ({used.ru_utime:.2f} s user, {used.ru_stime:.2f} s system), at most {peak:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--snapshots", type=int, default=1_000_000)
    parser.add_argument("--volumes", type=int, default=100_000)
    parser.add_argument("--as-the-cli-prints", action="store_true", help="indented, twice as large")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    indent = 4 if args.as_the_cli_prints else None
    folder = Path(tempfile.gettempdir()) / f"stopgap-{args.snapshots}-{args.volumes}-{indent or 0}"
    folder.mkdir(exist_ok=True)
    numbers = list(range(args.snapshots))
    random.Random(1).shuffle(numbers)
    snapshots = (snapshot(number % args.volumes, number // args.volumes, number) for number in numbers)
    path, policy = folder / "snapshots.json", folder / "policy.json"
    write(path, "Snapshots", snapshots, indent)
    write(folder / "instances.json", "Reservations", map(reservation, range(args.volumes // PER_INSTANCE)), indent)
    write(folder / "volumes.json", "Volumes", map(volume, range(args.volumes)), indent)
    policy.write_text(json.dumps(POLICY))
    target = Path(os.environ.get("CARGO_TARGET_DIR", REPOSITORY / "target")) / "release/stopgap"
    print(f"{path.stat().st_size / 1e6:.0f} MB in {path}")
    retention = ["retention", "--policy", policy, "--snapshots", path]
    plan = ["plan", "--policies", policy, "--inventory", folder]
    for words in (retention, plan):
        for _ in range(args.runs):
            measure([target, *words, "--at", AT, "--json"])


if __name__ == "__main__":
    main()
