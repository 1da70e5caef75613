import { expect, test } from 'vitest';

import { FUNCTION_NAMES } from '../lib/rights/functions.ts';
import { hub, resources } from './support.ts';

const template = hub();
const alarms = new Map(
  resources(template, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => [
    Properties['AlarmName'] as string,
    Properties,
  ]),
);

test('there is an alarm for each kind of trouble', () => {
  const machines = ['fleet', 'instance', 'rescue'].flatMap((name) =>
    ['failed', 'aborted', 'timed-out'].map((end) => `stopgap-${name}-${end}`),
  );
  const throttles = FUNCTION_NAMES.map((name) => `stopgap-${name}-throttled`);
  const errors = ['notify', 'plan-fleet', 'wake'].map((name) => `stopgap-${name}-errors`);
  const others = [
    'stopgap-undelivered-waiting',
    'stopgap-unhandled-waiting',
    'stopgap-occurrences-missed',
    'stopgap-no-plans',
    'stopgap-debts-found',
    'stopgap-no-looks',
  ];
  expect([...alarms.keys()].sort()).toEqual([...machines, ...throttles, ...errors, ...others].sort());
});

test('every alarm tells the ticket topic, and says in words what it means', () => {
  for (const [name, alarm] of alarms) {
    expect(alarm['AlarmActions'], name).toEqual([{ Ref: expect.stringMatching(/^TicketsTopic/) as unknown }]);
    expect(alarm['AlarmDescription'], name).toMatch(/\w+ \w+/);
  }
});

test('three ticks without a plan are an alarm, also when nothing is heard at all', () => {
  expect(alarms.get('stopgap-no-plans')).toMatchObject({
    Namespace: 'stopgap',
    MetricName: 'PlansMade',
    Dimensions: [{ Name: 'Function', Value: 'plan-fleet' }],
    Statistic: 'Sum',
    Period: 900,
    EvaluationPeriods: 3,
    ComparisonOperator: 'LessThanThreshold',
    Threshold: 1,
    TreatMissingData: 'breaching',
  });
});

test('three looks that the rescuer did not make are an alarm too, and what it found', () => {
  const look = { Namespace: 'stopgap', Dimensions: [{ Name: 'Function', Value: 'find-debts' }], Period: 300 };
  expect(alarms.get('stopgap-no-looks')).toMatchObject({
    ...look,
    MetricName: 'SweepsMade',
    EvaluationPeriods: 3,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'breaching',
  });
  expect(alarms.get('stopgap-debts-found')).toMatchObject({ ...look, MetricName: 'DebtsFound', Threshold: 1 });
});

test('any other alarm is silent as long as there is nothing to count', () => {
  const breaching = [...alarms]
    .filter(([, alarm]) => alarm['TreatMissingData'] !== 'notBreaching')
    .map(([name]) => name);
  expect(breaching.sort()).toEqual(['stopgap-no-looks', 'stopgap-no-plans']);
});
