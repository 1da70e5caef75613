import type { EventPattern } from 'aws-cdk-lib/aws-events';

/**
 * The events that tell what a waiting run waits for, by the name of their rule. The hub sends them to `wake`, a spoke to
 * the hub. They are best effort: a poll stands behind each, so a lost one costs seconds.
 */
export const AWAITED_EVENTS: Readonly<
  Record<string, { readonly description: string; readonly pattern: EventPattern }>
> = {
  InstanceState: {
    description: 'An instance is running, stopped or terminated',
    pattern: {
      source: ['aws.ec2'],
      detailType: ['EC2 Instance State-change Notification'],
      detail: { state: ['running', 'stopped', 'terminated'] },
    },
  },
  SnapshotSet: {
    description: 'All snapshots of one CreateSnapshots call are completed, or one failed',
    pattern: { source: ['aws.ec2'], detailType: ['EBS Multi-Volume Snapshots Completion Status'] },
  },
  Snapshot: {
    description: 'A snapshot is completed, or failed',
    pattern: { source: ['aws.ec2'], detailType: ['EBS Snapshot Notification'], detail: { event: ['createSnapshot'] } },
  },
};
