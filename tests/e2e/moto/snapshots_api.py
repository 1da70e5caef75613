"""CreateSnapshots and DescribeSnapshots with the parameters that moto ignores."""

from moto.core.responses import ActionResult


def create_set(backend, create_snapshots, instance_spec, description, tags):
    """CreateSnapshots with `ExcludeDataVolumeIds`, which moto ignores: what is excluded is hidden from it meanwhile."""
    instance = backend.get_instance(instance_spec["InstanceId"])
    excluded = instance_spec.get("ExcludeDataVolumeIds") or instance_spec.get("ExcludeDataVolumeId") or []
    mapping = instance.block_device_mapping
    hidden = {device: volume for device, volume in mapping.items() if volume.volume_id in excluded}
    for device in hidden:
        del mapping[device]
    try:
        return create_snapshots(backend, instance_spec, description, tags)
    finally:
        for device, volume in hidden.items():
            mapping[device] = volume


def describe_snapshots(self):
    """DescribeSnapshots with `OwnerIds`, without which it lists those of images too, and with pages."""
    found = self.ec2_backend.describe_snapshots(
        snapshot_ids=self._get_param("SnapshotIds", []), filters=self._filters_from_querystring()
    )
    owners = self._get_param("OwnerIds", [])
    if owners:
        owners = [self.current_account if owner == "self" else owner for owner in owners]
        found = [snapshot for snapshot in found if snapshot.owner_id in owners]
    size, start = int(self._get_param("MaxResults") or 0), int(self._get_param("NextToken") or 0)
    answer = {"Snapshots": found[start : start + size] if size else found}
    if size and start + size < len(found):
        answer["NextToken"] = str(start + size)
    return ActionResult(answer)
