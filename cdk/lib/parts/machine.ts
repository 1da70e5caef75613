import { Aws, RemovalPolicy, Validations } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import {
  CfnStateMachineAlias,
  CfnStateMachineVersion,
  DefinitionBody,
  LogLevel,
  StateMachine,
} from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';

import type { MachineFile } from '../machine-file.ts';
import { pascal } from '../names.ts';
import { RightfulRole, type Right } from '../rights/right.ts';
import type { HubSettings } from '../settings.ts';

/** What a state machine is made of. */
export interface MachineProps {
  readonly file: MachineFile;
  readonly settings: HubSettings;
  readonly rights: readonly Right[];
  /** What stands for each placeholder of the file. */
  readonly substitutions: Readonly<Record<string, string>>;
}

/** The alias that schedules and other machines start. */
export const ALIAS = 'live';

/** A state machine with its role, its log, and an alias to the version that this deployment publishes. */
export class Machine extends Construct {
  readonly name: string;
  readonly machine: StateMachine;
  /** The ARN to start: the alias, which a person can point at an earlier version to roll a release back. */
  readonly aliasArn: string;

  constructor(scope: Construct, props: MachineProps) {
    super(scope, machineId(props.file.name));
    const { file, settings } = props;
    this.name = file.name;

    const logGroup = new LogGroup(this, 'Log', {
      // With this prefix the group needs no entry in the account's resource policy, which has room for about ten.
      logGroupName: `/aws/vendedlogs/states/${settings.names.of(file.name)}`,
      retention: settings.logRetention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const { role } = new RightfulRole(this, 'Rights', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Aws.ACCOUNT_ID } },
      }),
      description: `What the state machine ${settings.names.of(file.name)} may do`,
      rights: props.rights,
    });
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: settings.names.of(file.name),
      definitionBody: DefinitionBody.fromFile(file.path),
      definitionSubstitutions: { ...props.substitutions },
      role: role.withoutPolicyUpdates(),
      tracingEnabled: true,
      // Without execution data: it holds the tags and names of instances, and logs are read by more people, and kept
      // in more places, than the history, which has the data for 90 days.
      logs: { destination: logGroup, level: settings.machineLogLevel, includeExecutionData: false },
    });
    if (settings.machineLogLevel !== LogLevel.ALL) {
      Validations.of(this.machine).acknowledge({
        id: 'AwsSolutions-SF1',
        reason:
          'Step Functions keeps the whole history for 90 days; without execution data, a log of every event adds only ' +
          'cost. The context value machineLogLevel sets ALL.',
      });
    }

    // A changed machine has another revision, and so is published as another version; an unchanged one is not.
    const version = new CfnStateMachineVersion(this, 'Version', {
      stateMachineArn: this.machine.stateMachineArn,
      stateMachineRevisionId: this.machine.stateMachineRevisionId,
    });
    // Earlier versions stay, to go back to; they go with the machine.
    version.applyRemovalPolicy(RemovalPolicy.RETAIN);
    const alias = new CfnStateMachineAlias(this, 'Alias', {
      name: ALIAS,
      routingConfiguration: [{ stateMachineVersionArn: version.ref, weight: 100 }],
    });
    this.aliasArn = alias.ref;
  }
}

/** `fleet` → `FleetMachine`: the id in the stack, and the placeholder by which another machine names it. */
export function machineId(name: string): string {
  return `${pascal(name)}Machine`;
}
