"""EventBridge in moto: rules have no Lambda targets, run even when disabled, and tell the time in seconds."""

import os
from datetime import datetime, timezone

import requests
from moto.events import events_backends
from moto.events.models import Rule
from moto.utilities.arns import parse_arn

import json


def mend():
    send = Rule.send_to_targets

    def send_to_targets(self, original_event, transform_input=True):
        if self.state == "DISABLED" or not self.event_pattern.matches_event(original_event):
            return
        all_targets = self.targets
        functions = [target for target in all_targets if parse_arn(target["Arn"]).service == "lambda"]
        for target in functions:
            invoke(target["Arn"], original_event)
        self.targets = [target for target in all_targets if target not in functions]
        try:
            send(self, original_event, transform_input)
        finally:
            self.targets = all_targets

    Rule.send_to_targets = send_to_targets


def invoke(function_arn, event):
    """Invokes a function as EventBridge does: asynchronously. The router knows by the header that an event calls."""
    requests.post(
        f"http://127.0.0.1:{os.environ['MOTO_PORT']}/2015-03-31/functions/{function_arn}/invocations",
        data=json.dumps({**event, "version": "0", "time": iso(event["time"])}),
        headers={"X-Amz-Invocation-Type": "Event", "X-Stopgap-Event": event["detail-type"]},
        timeout=60,
    )


def iso(time):
    if isinstance(time, str):
        return time
    return datetime.fromtimestamp(float(time), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def emit(backend, detail_type, resources, detail):
    """Puts an event of EC2 on the default bus of the backend's account and Region."""
    bus = events_backends[backend.account_id][backend.region_name]
    bus.put_events(
        [{"Source": "aws.ec2", "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}]
    )
