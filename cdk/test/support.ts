import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { Template } from 'aws-cdk-lib/assertions';

import { addStack } from '../lib/add-stack.ts';
import { createApp } from '../lib/app.ts';
import { FUNCTION_NAMES } from '../lib/rights/functions.ts';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly Metadata?: { readonly Reasons?: Record<string, string> };
  readonly Condition?: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
}

/** A statement of a policy, its actions and resources always as lists. */
export interface Statement {
  readonly sid: string | undefined;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  readonly condition: Record<string, Record<string, unknown>> | undefined;
  readonly principal: unknown;
}

/** A folder with a stub for every function. */
export function stubArtifacts(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stopgap-artifacts-'));
  for (const name of FUNCTION_NAMES) {
    mkdirSync(path.join(folder, name));
    writeFileSync(path.join(folder, name, 'bootstrap'), `stub of ${name}`);
  }
  return folder;
}

/** What a spoke is asked for with. */
export const SPOKE = { hub: '111122223333/eu-west-1', externalId: 'a-shared-secret' };

const artifacts = stubArtifacts();

/** The hub's template, with stubs for functions. */
export function hub(context: Readonly<Record<string, unknown>> = {}): Template {
  return synthesized({ artifacts, ...context });
}

/** The spoke's template. */
export function spoke(context: Readonly<Record<string, unknown>> = {}): Template {
  return synthesized({ ...SPOKE, ...context });
}

const known = new Map<string, Template>();

/** Each context once, since it takes a second. */
function synthesized(context: Readonly<Record<string, unknown>>): Template {
  const key = JSON.stringify(context);
  const template = known.get(key) ?? Template.fromStack(addStack(createApp(context)));
  known.set(key, template);
  return template;
}

/** The resources of a type (all, if none is named), by logical id. */
export function resources(template: Template, type?: string): [string, Resource][] {
  const all = (template.toJSON() as { Resources: Record<string, Resource> }).Resources;
  return Object.entries(all).filter(([, resource]) => type === undefined || resource.Type === type);
}

/** The only resource of a type whose logical id begins so. */
export function one(template: Template, type: string, prefix = ''): Resource {
  const found = resources(template, type).filter(([id]) => id.startsWith(prefix));
  const [first] = found;
  if (first === undefined || found.length > 1) {
    throw new Error(
      `there are ${found.length} ${type} that begin with ${prefix}: ${found.map(([id]) => id).join(', ')}`,
    );
  }
  return first[1];
}

/** Every statement of every policy in what is given: identity, trust, resource and key policies. */
export function statements(node: unknown): Statement[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  const policy = node as Record<string, unknown>;
  const inside = Object.values(node).flatMap(statements);
  const isStatement = typeof policy['Effect'] === 'string' && policy['Action'] !== undefined;
  return isStatement ? [statement(policy), ...inside] : inside;
}

/** The statements of a function's role in the hub. */
export function rightsOf(template: Template, functionId: string): Statement[] {
  return statements(one(template, 'AWS::IAM::Role', `${functionId}RightsRole`).Properties['Policies']);
}

/** An intrinsic function as one text: `<Ref>`, `<Id.Arn>`, joined parts. */
export function flat(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  const node = value as { Ref?: string; 'Fn::GetAtt'?: string[]; 'Fn::Join'?: [string, unknown[]] };
  if (node.Ref !== undefined) {
    return `<${node.Ref}>`;
  }
  if (node['Fn::GetAtt'] !== undefined) {
    return `<${node['Fn::GetAtt'].join('.')}>`;
  }
  if (node['Fn::Join'] !== undefined) {
    return node['Fn::Join'][1].map(flat).join(node['Fn::Join'][0]);
  }
  return JSON.stringify(value);
}

function statement(policy: Record<string, unknown>): Statement {
  return {
    sid: policy['Sid'] as string | undefined,
    effect: policy['Effect'] as string,
    actions: list(policy['Action']).map(flat),
    resources: list(policy['Resource']).map(flat),
    condition: policy['Condition'] as Statement['condition'],
    principal: policy['Principal'],
  };
}

function list(value: unknown): unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}
