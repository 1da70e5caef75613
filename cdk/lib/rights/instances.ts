import { Aws } from 'aws-cdk-lib';

import type { Right } from './right.ts';

// What stopgap does to instances, their snapshots, their Auto Scaling groups, load balancers and alarms. The hub's functions hold
// these rights in their own account and the spoke role in every other one, both from here, so that the two cannot drift
// apart.

/** The tag that every snapshot of stopgap has from the moment it is made (`set_tags` in stopgap-core). */
const OURS = 'stopgap:policy';

/** A tag that an instance must have to be stopped and started, as `key` or `key=value`. */
export type OptInTag = string | undefined;

const instances = `arn:${Aws.PARTITION}:ec2:*:${Aws.ACCOUNT_ID}:instance/*`;
const volumes = `arn:${Aws.PARTITION}:ec2:*:${Aws.ACCOUNT_ID}:volume/*`;
// The ARN of a snapshot has no account.
const snapshots = `arn:${Aws.PARTITION}:ec2:*::snapshot/*`;
const groups = `arn:${Aws.PARTITION}:autoscaling:*:${Aws.ACCOUNT_ID}:autoScalingGroup:*:autoScalingGroupName/*`;
const targetGroups = `arn:${Aws.PARTITION}:elasticloadbalancing:*:${Aws.ACCOUNT_ID}:targetgroup/*`;
const alarms = `arn:${Aws.PARTITION}:cloudwatch:*:${Aws.ACCOUNT_ID}:alarm:*`;

const NO_RESOURCE_LEVEL = 'EC2 offers neither resources nor conditions for Describe calls. They only read.';
const WHICH_INSTANCE =
  'Policies, not this role, say which instances, and in which Regions: they change without a deployment.';

/** DescribeInstances. */
export const seeInstances: Right = {
  sid: 'SeeInstances',
  reason: NO_RESOURCE_LEVEL,
  actions: ['ec2:DescribeInstances'],
  resources: ['*'],
};

/** DescribeVolumes. */
export const seeVolumes: Right = {
  sid: 'SeeVolumes',
  reason: NO_RESOURCE_LEVEL,
  actions: ['ec2:DescribeVolumes'],
  resources: ['*'],
};

/** What a preflight asks of EC2 besides. */
export const seeWhatAStopCosts: readonly Right[] = [
  {
    sid: 'SeeWhatAStopCosts',
    reason: NO_RESOURCE_LEVEL,
    actions: [
      'ec2:DescribeInstanceStatus',
      'ec2:DescribeInstanceTypes',
      'ec2:DescribeSpotInstanceRequests',
      'ec2:DescribeVolumesModifications',
    ],
    resources: ['*'],
  },
  {
    sid: 'SeeStopProtection',
    reason:
      'Policies, not this role, say which instances. The call could tell other attributes, too, user data among them; the ' +
      'function asks for `disableApiStop` alone, and whether EC2 would take a narrower resource is not sure.',
    actions: ['ec2:DescribeInstanceAttribute'],
    resources: ['*'],
  },
  {
    sid: 'SeeKeys',
    reason:
      'The keys of encrypted volumes are not known before, and may be shared from another account. DescribeKey tells what a ' +
      'key is and its state, and uses it for nothing; the key policy still has to agree.',
    actions: ['kms:DescribeKey'],
    resources: [`arn:${Aws.PARTITION}:kms:*:*:key/*`],
  },
];

/** DescribeSnapshots. */
export const seeSnapshots: Right = {
  sid: 'SeeSnapshots',
  reason: NO_RESOURCE_LEVEL,
  actions: ['ec2:DescribeSnapshots'],
  resources: ['*'],
};

/** StopInstances. */
export function stopInstances(optIn: OptInTag): Right {
  return {
    sid: 'StopInstances',
    reason: `${WHICH_INSTANCE} The context value optInTag narrows it to instances with that tag.`,
    actions: ['ec2:StopInstances'],
    resources: [instances],
    ...optedIn(optIn),
  };
}

/** StartInstances, and the grant that an encrypted volume needs to be attached. */
export function startInstances(optIn: OptInTag): Right[] {
  return [
    {
      sid: 'StartInstances',
      reason: `${WHICH_INSTANCE} The context value optInTag narrows it to instances with that tag.`,
      actions: ['ec2:StartInstances'],
      resources: [instances],
      ...optedIn(optIn),
    },
    {
      sid: 'LetEbsDecrypt',
      reason:
        'An instance with encrypted volumes starts only if its caller may create a grant for EBS; without it, it falls back to ' +
        'stopped in silence. Keys are not known before, and may be shared from another account. Only EC2 may use the right, ' +
        'and only for an AWS resource; the key policy still has to agree.',
      actions: ['kms:CreateGrant'],
      resources: [`arn:${Aws.PARTITION}:kms:*:*:key/*`],
      conditions: {
        Bool: { 'kms:GrantIsForAWSResource': 'true' },
        StringLike: { 'kms:ViaService': 'ec2.*.amazonaws.com' },
      },
    },
  ];
}

/** CreateSnapshots, with the tags that make them stopgap's. */
export const createSnapshots: readonly Right[] = [
  {
    sid: 'SnapshotTheVolumes',
    reason: `${WHICH_INSTANCE} The call is authorized on the instance and on each volume; it changes neither.`,
    actions: ['ec2:CreateSnapshots'],
    resources: [instances, volumes],
  },
  {
    sid: 'MakeOwnSnapshots',
    reason:
      'The ids of new snapshots cannot be known before. Only with the tag that marks a snapshot as one of stopgap.',
    actions: ['ec2:CreateSnapshots'],
    resources: [snapshots],
    conditions: { Null: { [`aws:RequestTag/${OURS}`]: 'false' } },
  },
  {
    sid: 'TagWhatIsBeingMade',
    reason: 'The ids of new snapshots cannot be known before. Only within the call that makes them.',
    actions: ['ec2:CreateTags'],
    resources: [snapshots],
    conditions: { StringEquals: { 'ec2:CreateAction': 'CreateSnapshots' } },
  },
];

/** CreateTags on stopgap's own snapshots. */
export const tagOwnSnapshots: Right = {
  sid: 'TagOwnSnapshots',
  reason: 'The ids of snapshots cannot be known before. Only those that have the tag of stopgap.',
  actions: ['ec2:CreateTags'],
  resources: [snapshots],
  conditions: { Null: { [`aws:ResourceTag/${OURS}`]: 'false' } },
};

/** DeleteSnapshot on stopgap's own snapshots. */
export const deleteOwnSnapshots: Right = {
  sid: 'DeleteOwnSnapshots',
  reason: 'The ids of snapshots cannot be known before. Only those that have the tag of stopgap.',
  actions: ['ec2:DeleteSnapshot'],
  resources: [snapshots],
  conditions: { Null: { [`aws:ResourceTag/${OURS}`]: 'false' } },
};

/**
 * DeleteSnapshot on what ebs_snapper left behind, where policies adopt it. Which snapshots are its, the function tells by their
 * description too, and that no condition can ask for.
 */
export const deleteAdoptedSnapshots: Right = {
  sid: 'DeleteAdoptedSnapshots',
  reason:
    'The ids of snapshots cannot be known before. Only those that have the tag by which ebs_snapper says on which day it would ' +
    'delete them, and only in a deployment that was told to adopt.',
  actions: ['ec2:DeleteSnapshot'],
  resources: [snapshots],
  conditions: { StringLike: { 'aws:ResourceTag/DeleteOn': '????-??-??' } },
};

/** DescribeAutoScalingInstances: the group of an instance. */
export const seeMembers: Right = {
  sid: 'SeeMembers',
  reason: 'Auto Scaling offers no resources for Describe calls. They only read.',
  actions: ['autoscaling:DescribeAutoScalingInstances', 'autoscaling:DescribeAutoScalingGroups'],
  resources: ['*'],
};

/** Keeps a group from replacing a member that is down. */
export const shieldMembers: Right = {
  sid: 'ShieldMembers',
  reason: 'Groups are found through their members, which policies select: they change without a deployment.',
  actions: ['autoscaling:EnterStandby', 'autoscaling:SuspendProcesses'],
  resources: [groups],
};

/** Gives a member back to its group. */
export const returnMembers: Right = {
  sid: 'ReturnMembers',
  reason: 'Groups are found through their members, which policies select: they change without a deployment.',
  actions: ['autoscaling:ExitStandby', 'autoscaling:ResumeProcesses'],
  resources: [groups],
};

/** DescribeTargetGroups: Elastic Load Balancing has no look-up by target. */
export const seeTargetGroups: Right = {
  sid: 'SeeTargetGroups',
  reason: 'Elastic Load Balancing offers no resources for Describe calls. They only read.',
  actions: ['elasticloadbalancing:DescribeTargetGroups'],
  resources: ['*'],
};

/** DescribeTargetHealth: who is in a target group, and how. */
export const seeTargets: Right = {
  sid: 'SeeTargets',
  reason: 'Elastic Load Balancing offers no resources for Describe calls. They only read.',
  actions: ['elasticloadbalancing:DescribeTargetHealth'],
  resources: ['*'],
};

/** Takes an instance out of its target groups before it is stopped. */
export const deregisterTargets: Right = {
  sid: 'DeregisterTargets',
  reason: 'Groups are found through their targets, which policies select: they change without a deployment.',
  actions: ['elasticloadbalancing:DeregisterTargets'],
  resources: [targetGroups],
};

/** Puts it back. */
export const registerTargets: Right = {
  sid: 'RegisterTargets',
  reason: 'Groups are found through their targets, which policies select: they change without a deployment.',
  actions: ['elasticloadbalancing:RegisterTargets'],
  resources: [targetGroups],
};

/** DescribeAlarms: CloudWatch has no look-up by instance that knows metric math. */
export const seeAlarms: Right = {
  sid: 'SeeAlarms',
  reason: 'Which alarms watch an instance is known only when all have been read.',
  actions: ['cloudwatch:DescribeAlarms'],
  resources: [alarms],
};

/** Switches off the alarms of an instance that is down on purpose. */
export const silenceAlarms: Right = {
  sid: 'SilenceAlarms',
  reason:
    'Alarms are found through the instances that they watch, which policies select: they change without a deployment.',
  actions: ['cloudwatch:DisableAlarmActions'],
  resources: [alarms],
};

/** Switches them on again. */
export const restoreAlarms: Right = {
  sid: 'RestoreAlarms',
  reason:
    'Alarms are found through the instances that they watch, which policies select: they change without a deployment.',
  actions: ['cloudwatch:EnableAlarmActions'],
  resources: [alarms],
};

function optedIn(tag: OptInTag): Pick<Right, 'conditions'> {
  if (tag === undefined) {
    return {};
  }
  const [key, value] = split(tag);
  return value === undefined
    ? { conditions: { Null: { [`aws:ResourceTag/${key}`]: 'false' } } }
    : { conditions: { StringEquals: { [`aws:ResourceTag/${key}`]: value } } };
}

function split(tag: string): [string, string | undefined] {
  const at = tag.indexOf('=');
  return at < 0 ? [tag, undefined] : [tag.slice(0, at), tag.slice(at + 1)];
}
