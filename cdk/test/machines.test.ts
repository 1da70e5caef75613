import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Stack } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import validate from 'asl-validator';
import { describe, expect, test } from 'vitest';

import { createApp } from '../lib/app.ts';
import { machineFiles, MACHINES_FOLDER } from '../lib/machine-file.ts';
import { addMachines } from '../lib/parts/machines.ts';
import type { StopgapFunction } from '../lib/parts/function.ts';
import { hubSettings } from '../lib/settings.ts';
import { hub, one, resources, type Statement, statements, stubArtifacts } from './support.ts';

const template = hub();
const files = machineFiles();

function role(of: Template, machine: string): Statement[] {
  return statements(one(of, 'AWS::IAM::Role', `${machine}RightsRole`).Properties['Policies']);
}

function resourcesOf(machine: string, sid: string): string[] {
  return role(template, machine)
    .filter((statement) => statement.sid === sid)
    .flatMap((statement) => [...statement.resources]);
}

test('every file in statemachine/ is a state machine, and nothing else is', () => {
  const inFolder = readdirSync(MACHINES_FOLDER).filter((file) => file.endsWith('.asl.json'));
  const deployed = resources(template, 'AWS::StepFunctions::StateMachine').map(
    ([, { Properties }]) => Properties['StateMachineName'],
  );
  expect(deployed.sort()).toEqual(inFolder.map((file) => `stopgap-${file.replace('.asl.json', '')}`).sort());
});

test('a new file is a new state machine', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'stopgap-machines-'));
  writeFileSync(
    path.join(folder, 'rescue.asl.json'),
    '{"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}',
  );
  expect([...addInto(folder).keys()]).toEqual(['rescue']);
});

test('a placeholder that stands for nothing is refused, and so are machines that start each other', () => {
  const unknown = mkdtempSync(path.join(tmpdir(), 'stopgap-machines-'));
  writeFileSync(path.join(unknown, 'rescue.asl.json'), '{"Comment": "${StartTheInstance}"}');
  expect(() => addInto(unknown)).toThrow('${StartTheInstance} is neither a function');
  const circle = mkdtempSync(path.join(tmpdir(), 'stopgap-machines-'));
  writeFileSync(path.join(circle, 'one.asl.json'), '{"Comment": "${OtherMachine}"}');
  writeFileSync(path.join(circle, 'other.asl.json'), '{"Comment": "${OneMachine}"}');
  expect(() => addInto(circle)).toThrow('one → other → one');
});

function addInto(folder: string): ReadonlyMap<string, unknown> {
  const app = createApp({ artifacts: stubArtifacts() });
  const functions = new Map<string, StopgapFunction>();
  const around = { settings: hubSettings(app.node), functions, bucket: 'arn:aws:s3:::plans' };
  return addMachines(new Stack(app, 'Machines'), around, machineFiles(folder));
}

describe.each(files.map((file) => [file.name, file] as const))('%s', (name, file) => {
  const id = `${name.charAt(0).toUpperCase()}${name.slice(1)}Machine`;
  const machine = one(template, 'AWS::StepFunctions::StateMachine', id);
  const calls = file.placeholders.filter((placeholder) => !placeholder.endsWith('Machine'));

  test('has something for each of its placeholders, and for nothing else', () => {
    const substitutions = machine.Properties['DefinitionSubstitutions'] as Record<string, { Ref: string }>;
    expect(Object.keys(substitutions).sort()).toEqual([...file.placeholders]);
    for (const placeholder of calls) {
      expect(substitutions[placeholder]?.Ref).toMatch(new RegExp(`^${placeholder}FunctionCurrentVersion`));
    }
  });

  test('may call the functions that it names, in every version, and no others', () => {
    const expected = calls.map(
      (call) => expect.stringMatching(new RegExp(`^<${call}Function[0-9A-F]{8}\\.Arn>:\\*$`)) as unknown,
    );
    expect(resourcesOf(id, 'CallFunctions')).toEqual(expected);
  });

  test('has an alias to the version that is published, and keeps earlier versions', () => {
    const [version] = resources(template, 'AWS::StepFunctions::StateMachineVersion').filter(([key]) =>
      key.startsWith(id),
    );
    expect(version?.[1]).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    const alias = one(template, 'AWS::StepFunctions::StateMachineAlias', id);
    expect(alias.Properties).toEqual({
      Name: 'live',
      RoutingConfiguration: [{ StateMachineVersionArn: { Ref: version?.[0] }, Weight: 100 }],
    });
  });

  test('logs errors without data, and traces', () => {
    expect(machine.Properties['LoggingConfiguration']).toMatchObject({ Level: 'ERROR', IncludeExecutionData: false });
    expect(machine.Properties['TracingConfiguration']).toEqual({ Enabled: true });
  });

  test('is valid Amazon States Language', () => {
    const result = validate(JSON.parse(readFileSync(file.path, 'utf8')));
    expect(result.isValid, result.errorsText()).toBe(true);
  });

  test('sets its own time limit, since one in the template would not count', () => {
    const { TimeoutSeconds } = JSON.parse(readFileSync(file.path, 'utf8')) as { TimeoutSeconds?: number };
    expect(TimeoutSeconds).toBeGreaterThan(0);
  });
});

test('the fleet starts the alias of the instance machine', () => {
  const { Properties } = one(template, 'AWS::StepFunctions::StateMachine', 'FleetMachine');
  const { InstanceMachine } = Properties['DefinitionSubstitutions'] as { InstanceMachine: { Ref: string } };
  expect(InstanceMachine.Ref).toMatch(/^InstanceMachineAlias/);
  const prefix = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>';
  expect(resourcesOf('FleetMachine', 'StartMachines')).toEqual([`${prefix}:stateMachine:stopgap-instance`]);
});

test('the fleet has what a Distributed Map needs: itself, its children, and the plan', () => {
  const prefix = 'arn:<AWS::Partition>:states:<AWS::Region>:<AWS::AccountId>';
  expect(resourcesOf('FleetMachine', 'StartChildren')).toEqual([`${prefix}:stateMachine:stopgap-fleet`]);
  expect(resourcesOf('FleetMachine', 'MindChildren')).toEqual([
    `${prefix}:execution:stopgap-fleet/Dispatch:*`,
    `${prefix}:execution:stopgap-fleet:*`,
  ]);
  expect(resourcesOf('FleetMachine', 'ReadPlans')).toEqual([
    expect.stringMatching(/^<PlanningBucket[0-9A-F]+\.Arn>\/\*$/),
  ]);
});

test('what is no Amazon States Language is found', () => {
  expect(validate({ StartAt: 'Missing', States: { Here: { Type: 'Succeed' } } }).isValid).toBe(false);
});

test('the instance machine starts no execution and reads no bucket', () => {
  const actions = role(template, 'InstanceMachine').flatMap((statement) => statement.actions);
  expect(actions.filter((action) => /^(states|s3):/.test(action))).toEqual([]);
});
