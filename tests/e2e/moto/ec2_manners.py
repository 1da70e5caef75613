"""EC2 and EBS, where moto is quicker and simpler than AWS.

Instances take a while to stop and to start, snapshots take a while to complete, and each tells of it by an event: without
that, every wait of a run would be over before it began.
"""

import os
import threading

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.models.instances import Instance, InstanceBackend
from moto.ec2.responses._base_response import EC2BaseResponse
from moto.ec2.responses.elastic_block_store import ElasticBlockStore

import snapshots_api
from event_targets import emit

# How long an instance takes to stop or to start, and a snapshot to complete, in seconds.
TRANSITION = float(os.environ.get("STOPGAP_TRANSITION_SECONDS", "0.5"))
# How many items a page holds at most, however many are asked for.
PAGE = int(os.environ.get("STOPGAP_PAGE", "1000"))

CODES = {"pending": 0, "running": 16, "stopping": 64, "stopped": 80}


def mend():
    take_time_to_change_state()
    take_time_to_complete()
    keep_pages_short()
    ElasticBlockStore.describe_snapshots = snapshots_api.describe_snapshots


def keep_pages_short():
    get_param = EC2BaseResponse._get_param

    def get_param_of_a_page(self, name, if_none=None):
        value = get_param(self, name, if_none)
        return min(int(value), PAGE) if name == "MaxResults" and value is not None else value

    EC2BaseResponse._get_param = get_param_of_a_page


def take_time_to_change_state():
    stop, start = Instance.stop, Instance.start
    start_instances = InstanceBackend.start_instances

    def slow_stop(self):
        before = stop(self)
        if before.name in ("pending", "running"):
            pass_through(self, "stopping", "stopped")
        return before

    def slow_start(self):
        before = start(self)
        if before.name == "stopped":
            pass_through(self, "pending", "running")
        return before

    def start_what_can_be_started(self, instance_ids):
        for instance in self.get_multi_instances_by_id(instance_ids):
            if instance.state == "stopping":
                message = f"The instance '{instance.id}' is not in a state from which it can be started."
                raise EC2ClientError("IncorrectInstanceState", message)
        return start_instances(self, instance_ids)

    Instance.stop, Instance.start = slow_stop, slow_start
    InstanceBackend.start_instances = start_what_can_be_started


def pass_through(instance, transient, final):
    """Lets the instance be `transient` for a while before it is `final`, unless something else befalls it."""
    enter(instance, transient)

    def arrive():
        if instance.state == transient:
            enter(instance, final)

    later(arrive)


def enter(instance, state):
    instance._state.name, instance._state.code = state, CODES[state]
    backend = instance.ec2_backend
    arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:instance/{instance.id}"
    detail = {"instance-id": instance.id, "state": state}
    later(lambda: emit(backend, "EC2 Instance State-change Notification", [arn], detail), 0)


def take_time_to_complete():
    create_snapshot, create_snapshots = EBSBackend.create_snapshot, EBSBackend.create_snapshots

    def create_one(self, volume_id, description, owner_id=None, from_ami=None):
        snapshot = create_snapshot(self, volume_id, description, owner_id, from_ami)
        if from_ami is None:
            snapshot.status = "pending"
            later(lambda: complete(snapshot))
        return snapshot

    def create_set(self, instance_spec, description, tags):
        snapshots = snapshots_api.create_set(self, create_snapshots, instance_spec, description, tags)
        later(lambda: tell_of_set(self, snapshots), TRANSITION + 0.1)
        return snapshots

    EBSBackend.create_snapshot, EBSBackend.create_snapshots = create_one, create_set
    # CreateSnapshots answers with it, under another name than DescribeSnapshots has it.
    Snapshot.state = property(lambda snapshot: snapshot.status)


def complete(snapshot):
    snapshot.status = "completed"


def tell_of_set(backend, snapshots):
    """One event for all snapshots of a call, with ARNs that have no account: AWS's manner."""
    arns = [f"arn:aws:ec2::{backend.region_name}:snapshot/{snapshot.id}" for snapshot in snapshots]
    volumes = [f"arn:aws:ec2::{backend.region_name}:volume/{snapshot.volume.id}" for snapshot in snapshots]
    parts = [
        {"snapshot_id": arn, "source": volume, "status": "completed"} for arn, volume in zip(arns, volumes)
    ]
    detail = {"event": "createSnapshots", "result": "succeeded", "cause": "", "snapshots": parts}
    emit(backend, "EBS Multi-Volume Snapshots Completion Status", arns, detail)


def later(action, seconds=TRANSITION):
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
