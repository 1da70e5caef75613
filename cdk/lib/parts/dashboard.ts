import { Dashboard, GraphWidget, type IMetric, type IWidget, Stats, TextWidget } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';

import type { Names } from '../names.ts';
import { ownMetric } from './alarms.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { StopgapFunction } from './function.ts';
import type { Machine } from './machine.ts';

/** What the dashboard shows. */
export interface OverviewProps {
  readonly names: Names;
  readonly machines: readonly Machine[];
  readonly functions: readonly StopgapFunction[];
  readonly deadLetters: readonly DeadLetters[];
}

/** One page on which a night can be seen. */
export class Overview extends Construct {
  constructor(scope: Construct, props: OverviewProps) {
    super(scope, 'Overview');
    const { names, machines, functions, deadLetters } = props;
    const graph = (title: string, ...left: IMetric[]): IWidget => new GraphWidget({ title, left, width: 8, height: 6 });
    new Dashboard(this, 'Dashboard', {
      dashboardName: names.deployment,
      widgets: [
        [new TextWidget({ markdown: '# Backups', width: 24, height: 1 })],
        [
          graph(
            'Backups',
            ownMetric('plan-fleet', 'InstancesDue'),
            ownMetric('close-run', 'BackupsCompleted'),
            ownMetric('close-run', 'BackupsNotCompleted'),
            ownMetric('plan-fleet', 'OccurrencesMissed'),
          ),
          graph(
            'Down, in seconds',
            ...[Stats.p(50), Stats.p(99), Stats.MAXIMUM].map((statistic) =>
              ownMetric('close-run', 'DownSeconds', { statistic }),
            ),
          ),
          graph('Tickets told', ownMetric('notify', 'TicketsTold')),
        ],
        [
          graph(
            'Snapshots and tags',
            ownMetric('create-snapshots', 'SnapshotsStarted'),
            ownMetric('copy-tags', 'TagsDropped'),
          ),
          graph(
            'Retention, in backup sets',
            ownMetric('prune-snapshots', 'SetsExpired'),
            ownMetric('prune-snapshots', 'SetsDeleted'),
            ownMetric('prune-orphans', 'SetsExpired'),
            ownMetric('prune-orphans', 'SetsDeleted'),
          ),
          graph(
            'Plans and looks',
            ownMetric('plan-fleet', 'PlansMade'),
            ownMetric('plan-fleet', 'LocationsUnread'),
            ownMetric('find-debts', 'SweepsMade'),
            ownMetric('find-debts', 'DebtsFound'),
          ),
        ],
        [new TextWidget({ markdown: '# Machinery', width: 24, height: 1 })],
        machines.map(({ name, machine }) =>
          graph(
            `Executions of ${names.of(name)}`,
            machine.metricStarted(),
            machine.metricSucceeded(),
            machine.metricFailed(),
            machine.metricAborted(),
            machine.metricTimedOut(),
          ),
        ),
        [
          graph('Function errors', ...functions.map((task) => task.function.metricErrors({ label: task.name }))),
          graph(
            'Longest duration',
            ...functions.map((task) => task.function.metricDuration({ label: task.name, statistic: Stats.MAXIMUM })),
          ),
          graph(
            'Dead letters',
            ...deadLetters.map(({ queue }) =>
              queue.metricApproximateNumberOfMessagesVisible({ statistic: Stats.MAXIMUM }),
            ),
          ),
        ],
      ],
    });
  }
}
