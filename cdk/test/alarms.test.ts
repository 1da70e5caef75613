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
  const machines = ['fleet', 'instance'].flatMap((name) =>
    ['failed', 'aborted', 'timed-out'].map((end) => `stopgap-${name}-${end}`),
  );
  const throttles = FUNCTION_NAMES.map((name) => `stopgap-${name}-throttled`);
  const errors = ['notify', 'plan-fleet', 'wake'].map((name) => `stopgap-${name}-errors`);
  const others = [
    'stopgap-undelivered-waiting',
    'stopgap-unhandled-waiting',
    'stopgap-occurrences-missed',
    'stopgap-no-plans',
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

test('any other alarm is silent as long as there is nothing to count', () => {
  const breaching = [...alarms]
    .filter(([, alarm]) => alarm['TreatMissingData'] !== 'notBreaching')
    .map(([name]) => name);
  expect(breaching).toEqual(['stopgap-no-plans']);
});
