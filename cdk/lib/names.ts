import { Aws } from 'aws-cdk-lib';

/** `stop-instance` → `StopInstance`: a function's id in the stack is the state and the placeholder that name it. */
export function pascal(name: string): string {
  return name.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/**
 * What everything of a deployment is called. The names are fixed, so that the command line finds table and machines by
 * the deployment's name alone, and so that roles can be trusted by name from another account.
 */
export class Names {
  /** The deployment's name; `stopgap` unless the context says otherwise. */
  readonly deployment: string;

  constructor(deployment: string) {
    this.deployment = deployment;
  }

  /** The hub's stack in CloudFormation. */
  get hubStack(): string {
    return this.deployment === 'stopgap' ? 'Stopgap' : this.deployment;
  }

  /** The spoke's stack in CloudFormation. */
  get spokeStack(): string {
    return this.deployment === 'stopgap' ? 'StopgapSpoke' : `${this.deployment}-spoke`;
  }

  /** The table of policies, leases, intents, runs and tickets. */
  get table(): string {
    return this.deployment;
  }

  /** Anything else: `stopgap-tickets`, `stopgap-stop-instance`, `stopgap-fleet`. */
  of(what: string): string {
    return `${this.deployment}-${what}`;
  }

  /**
   * The role of a function. With the Region, since role names are unique in an account and a second deployment may live
   * in another Region.
   */
  functionRole(functionName: string, region: string = Aws.REGION): string {
    return `${this.of(functionName)}-${region}`;
  }

  /**
   * The role in another account that the functions assume; functions may assume only what begins so. It begins alike for
   * every deployment, as the policies that name it ask (`ROLE_PREFIX` in `functions/core`).
   */
  get spokeRole(): string {
    return this.deployment === 'stopgap' ? 'stopgap-spoke' : `stopgap-spoke-${this.deployment}`;
  }
}
