#!/usr/bin/env python3
"""How long each function takes from its start to its first request for work, its memory then, and its zipped size.

    functions/build.sh x86_64
    python3 benches/cold_start.py [FOLDER] [--runs N] [--json]
    python3 benches/cold_start.py --sizes target/lambda/arm64

FOLDER holds <function>/bootstrap, target/lambda/x86_64 if it is not given. With --sizes nothing is started, so that the
functions can be for another processor than this machine's. A function is started against a Runtime API on
this machine; the time is from the start of its process to its GET of /next, the memory its peak until then. Beside it
stands the same step in Python: boto3 imported and a client made for each service that the function links, then the same
GET. boto3 comes from the pinned tools under target/ that the end-to-end tests install.
"""

import argparse
import io
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PYTHON = REPOSITORY / "target/tools/moto/bin/python"
# A feature of stopgap-aws, and boto3's name for the service. Every function has the table.
SERVICES = {
    "autoscaling": "autoscaling",
    "cloudwatch": "cloudwatch",
    "ec2": "ec2",
    "elasticloadbalancingv2": "elbv2",
    "kms": "kms",
    "s3": "s3",
    "sfn": "stepfunctions",
    "sns": "sns",
}
NEXT = "/2018-06-01/runtime/invocation/next"

# What a Python function does before it is ready: boto3's clients, then the Runtime API.
IN_PYTHON = """
import http.client, os, sys, boto3
clients = [boto3.client(name) for name in sys.argv[1:]]
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
runtime.request("GET", "%s")
runtime.getresponse()
""" % NEXT


def environment(address):
    """What Lambda and the stack set, and nothing of this shell's."""
    return {
        "PATH": os.environ["PATH"],
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "measured",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_LOG_GROUP_NAME": "group",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "measured",
        "AWS_SECRET_ACCESS_KEY": "measured",
        "STOPGAP_ACCOUNT": "123456789012",
        "STOPGAP_BUCKET": "bucket",
        "STOPGAP_TABLE": "table",
        "STOPGAP_TOPIC_ARN": "arn:aws:sns:us-east-1:123456789012:stopgap-tickets",
    }


def start(command):
    """Starts a process, and tells how many milliseconds it took to ask for work and its peak memory in MiB."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        address = "127.0.0.1:%d" % server.getsockname()[1]
        began = time.perf_counter()
        process = subprocess.Popen(command, env=environment(address), stdout=subprocess.DEVNULL)
        try:
            connection, _ = server.accept()
            with connection:
                request = connection.recv(65536).decode()
                took = time.perf_counter() - began
                if not request.startswith("GET %s " % NEXT):
                    sys.exit("error: %s asked for %r" % (command[0], request[:80]))
                status = Path("/proc/%d/status" % process.pid).read_text()
                # Before the connection closes: it would complain of that.
                process.kill()
        except TimeoutError:
            sys.exit("error: %s did not ask for work within 30 s" % command[0])
        finally:
            process.kill()
            process.wait()
    return took * 1000, int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


def measured(command, runs):
    """The medians of several starts. The first is not counted: it reads the program from the disk."""
    start(command)
    times, memories = zip(*(start(command) for _ in range(runs)))
    return statistics.median(times), max(memories)


def zipped(program):
    """The size of the function's package, in MB."""
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(program, "bootstrap")
    return len(package.getvalue()) / 1e6


def services(function):
    """boto3's names of the services that a function links."""
    manifest = (REPOSITORY / "functions" / function / "Cargo.toml").read_text()
    features = re.search(r"stopgap-aws = .*features = \[(.*?)\]", manifest).group(1)
    return ["dynamodb"] + [SERVICES[name] for name in re.findall(r'"(\w+)"', features) if name in SERVICES]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=REPOSITORY / "target/lambda/x86_64")
    parser.add_argument("--runs", type=int, default=20, help="counted starts of each (default %(default)s)")
    parser.add_argument("--sizes", action="store_true", help="only the zipped size of each, in MB")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    programs = sorted(arguments.folder.glob("*/bootstrap"))
    if not programs:
        sys.exit("error: there are no functions in %s: build them with functions/build.sh x86_64" % arguments.folder)
    if arguments.sizes:
        for program in programs:
            print("%-20s %.2f MB" % (program.parent.name, zipped(program)))
        return
    if not PYTHON.exists():
        sys.exit("error: there is no %s: `cargo e2e` installs it" % PYTHON.relative_to(REPOSITORY))

    in_python = {}
    rows = []
    for program in programs:
        linked = services(program.parent.name)
        if tuple(linked) not in in_python:
            in_python[tuple(linked)] = measured([str(PYTHON), "-c", IN_PYTHON, *linked], arguments.runs)
        ours, (milliseconds, mebibytes) = measured([str(program)], arguments.runs), in_python[tuple(linked)]
        rows.append({
            "function": program.parent.name,
            "start_ms": round(ours[0], 1),
            "memory_mib": round(ours[1], 1),
            "zip_mb": round(zipped(program), 2),
            "python_start_ms": round(milliseconds, 1),
            "python_memory_mib": round(mebibytes, 1),
            "times_faster": round(milliseconds / ours[0], 1),
        })
    if arguments.json:
        print(json.dumps({"runs": arguments.runs, "functions": rows}, indent=2))
        return
    print("| Function | Start (ms) | Memory (MiB) | Zip (MB) | Python: start (ms) | memory (MiB) | Times faster |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print("| `%s` |" % row["function"], " | ".join(str(value) for value in list(row.values())[1:]), "|")


if __name__ == "__main__":
    main()
