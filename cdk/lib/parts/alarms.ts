import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  Metric,
  type MetricOptions,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

import { type Names, pascal } from '../names.ts';
import type { FunctionName } from '../rights/functions.ts';
import type { DeadLetters } from './dead-letters.ts';
import type { StopgapFunction } from './function.ts';
import type { Machine } from './machine.ts';
import { LOOK, TICK } from './schedule.ts';

/** What the alarms watch, and whom they tell. */
export interface AlarmsProps {
  readonly names: Names;
  readonly topic: ITopic;
  readonly machines: readonly Machine[];
  readonly functions: readonly StopgapFunction[];
  readonly deadLetters: readonly DeadLetters[];
}

/**
 * The functions whose error is nobody's business but an alarm's. The others answer with errors that a state machine
 * retries or catches by design (a busy lease, an instance that is still stopping), and which become tickets where they
 * matter.
 */
const ERRORS_WATCHED: readonly FunctionName[] = ['notify', 'plan-fleet', 'wake'];

const PER_5_MINUTES = { period: Duration.minutes(5) };

/** A metric that a function writes about its own work. */
export function ownMetric(functionName: FunctionName, metricName: string, options: MetricOptions = {}): Metric {
  return new Metric({
    namespace: 'stopgap',
    metricName,
    dimensionsMap: { Function: functionName },
    statistic: Stats.SUM,
    period: TICK,
    ...options,
  });
}

/** Alarms: the second way to hear of trouble, which does not depend on any code of stopgap. */
export class Alarms extends Construct {
  private readonly action: SnsAction;
  private readonly names: Names;

  constructor(scope: Construct, props: AlarmsProps) {
    super(scope, 'Alarms');
    this.names = props.names;
    this.action = new SnsAction(props.topic);
    for (const machine of props.machines) {
      this.watchMachine(machine);
    }
    for (const task of props.functions) {
      this.watchFunction(task);
    }
    for (const letters of props.deadLetters) {
      const metric = letters.queue.metricApproximateNumberOfMessagesVisible({
        ...PER_5_MINUTES,
        statistic: Stats.MAXIMUM,
      });
      this.any(
        `${letters.node.id}Waiting`,
        metric,
        `Read the queue ${letters.name}: something could not be delivered or handled.`,
      );
    }
    this.any(
      'OccurrencesMissed',
      ownMetric('plan-fleet', 'OccurrencesMissed'),
      'Backups were due and no run was begun for them in time. Their tickets name them.',
    );
    this.any(
      'DebtsFound',
      ownMetric('find-debts', 'DebtsFound', { period: LOOK }),
      'Runs ended without having given their instances back, and the rescuer took them over. Their tickets name them.',
    );
    this.silent(
      'NoPlans',
      ownMetric('plan-fleet', 'PlansMade'),
      'The fleet has made no plan for 45 minutes: no backup is begun.',
    );
    this.silent(
      'NoLooks',
      ownMetric('find-debts', 'SweepsMade', { period: LOOK }),
      'The rescuer has not looked for 15 minutes: an instance that is left stopped stays so.',
    );
  }

  private watchMachine({ name, machine }: Machine): void {
    const id = pascal(name);
    const what = this.names.of(name);
    this.any(
      `${id}Failed`,
      machine.metricFailed(PER_5_MINUTES),
      `Executions of ${what} failed. Their tickets say why.`,
    );
    // One alarm each: a sum of two metrics has no value where one of them has none.
    const leftStopped = 'an instance may have been left stopped.';
    this.any(
      `${id}Aborted`,
      machine.metricAborted(PER_5_MINUTES),
      `Executions of ${what} were aborted: ${leftStopped}`,
    );
    this.any(
      `${id}TimedOut`,
      machine.metricTimedOut(PER_5_MINUTES),
      `Executions of ${what} took too long: ${leftStopped}`,
    );
  }

  private watchFunction({ name, function: code }: StopgapFunction): void {
    const id = pascal(name);
    const what = this.names.of(name);
    const throttled = `${what} was throttled: the account has too little concurrency for it.`;
    this.any(`${id}Throttled`, code.metricThrottles(PER_5_MINUTES), throttled);
    if (ERRORS_WATCHED.includes(name)) {
      this.any(`${id}Errors`, code.metricErrors(PER_5_MINUTES), `${what} ended in errors: read its log.`);
    }
  }

  /** What should happen at every period of the metric has not for three of them, whatever the reason. */
  private silent(id: string, metric: IMetric, description: string): void {
    const alarm = new Alarm(this, id, {
      alarmName: this.names.of(kebab(id)),
      alarmDescription: `${description} See its executions, and its schedule.`,
      metric,
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 3,
      treatMissingData: TreatMissingData.BREACHING,
    });
    alarm.addAlarmAction(this.action);
    // An alarm whose end is news: it is what a ticketing system closes the matter by.
    alarm.addOkAction(this.action);
  }

  /** An alarm on the first of anything. */
  private any(id: string, metric: IMetric, description: string): void {
    const alarm = new Alarm(this, id, {
      alarmName: this.names.of(kebab(id)),
      alarmDescription: description,
      metric,
      threshold: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(this.action);
  }
}

function kebab(id: string): string {
  return id.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase();
}
