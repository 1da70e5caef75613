import {
  CfnRole,
  type Conditions,
  Effect,
  type IPrincipal,
  PolicyDocument,
  PolicyStatement,
  Role,
} from 'aws-cdk-lib/aws-iam';
import { Stack, Validations } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/**
 * One statement of a role, and why it is as wide as it is. The reason goes into the template (the role's metadata, under
 * the statement's Sid), so that who reviews the template reads it there, and a test can insist on it.
 */
export interface Right {
  /** Unique within a role; the same Sid means the same right everywhere. */
  readonly sid: string;
  /** Why it is needed, and why it is no narrower. */
  readonly reason: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly conditions?: Conditions;
}

/** What a role is made of. */
export interface RightfulRoleProps {
  readonly roleName?: string | undefined;
  readonly assumedBy: IPrincipal;
  readonly description: string;
  readonly rights: readonly Right[];
}

/** Rights with the same Sid, once. */
export function union(rights: readonly Right[]): Right[] {
  return [...new Map(rights.map((right) => [right.sid, right])).values()];
}

/** A role that has the rights it is given and never gets another: what CDK would add by itself has to be written here. */
export class RightfulRole extends Construct {
  /** The role, closed to additions. */
  readonly role: Role;

  constructor(scope: Construct, id: string, props: RightfulRoleProps) {
    super(scope, id);
    const rights = union(props.rights);
    this.role = new Role(this, 'Role', {
      roleName: props.roleName,
      assumedBy: props.assumedBy,
      description: props.description,
      inlinePolicies: { Rights: new PolicyDocument({ statements: rights.map(statement) }) },
    });
    const resource = this.role.node.defaultChild as CfnRole;
    resource.addMetadata('Reasons', Object.fromEntries(rights.map((right) => [right.sid, right.reason])));
    for (const right of rights) {
      acknowledgeWildcards(resource, right);
    }
  }
}

function statement(right: Right): PolicyStatement {
  return new PolicyStatement({
    sid: right.sid,
    effect: Effect.ALLOW,
    actions: [...right.actions],
    resources: [...right.resources],
    conditions: right.conditions,
  });
}

/** Tells cdk-nag the reason of each resource that holds a wildcard. Actions never do, so none is acknowledged. */
function acknowledgeWildcards(resource: CfnRole, right: Right): void {
  for (const arn of right.resources) {
    const flat = flatten(Stack.of(resource).resolve(arn));
    if (flat.includes('*')) {
      Validations.of(resource).acknowledge({ id: `AwsSolutions-IAM5[Resource::${flat}]`, reason: right.reason });
    }
  }
}

/** A resource as cdk-nag writes it: `<AWS::Partition>` for a Ref, `<Table.Arn>` for an attribute. */
function flatten(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const node = value as { Ref?: string; 'Fn::GetAtt'?: [string, string]; 'Fn::Join'?: [string, unknown[]] };
  if (node.Ref !== undefined) {
    return `<${node.Ref}>`;
  }
  if (node['Fn::GetAtt'] !== undefined) {
    return `<${node['Fn::GetAtt'].join('.')}>`;
  }
  if (node['Fn::Join'] !== undefined) {
    return node['Fn::Join'][1].map(flatten).join(node['Fn::Join'][0]);
  }
  throw new Error(`a resource of a right is written in a way that is not known here: ${JSON.stringify(value)}`);
}
