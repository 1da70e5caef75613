import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** A state machine as a file of `statemachine/`, and what can be read from it. */
export interface MachineFile {
  /** `fleet` for `fleet.asl.json`. */
  readonly name: string;
  readonly path: string;
  /** The names in its `${…}`, each once, sorted. */
  readonly placeholders: readonly string[];
  /** The labels of its Distributed Maps: the part of their children's ARNs that tells them from other executions. */
  readonly distributedMaps: readonly string[];
  /** Whether it starts executions of itself: it names itself by the context, since it cannot be a placeholder of itself. */
  readonly startsItself: boolean;
}

/** The folder with the state machines. */
export const MACHINES_FOLDER = path.resolve(import.meta.dirname, '../../statemachine');

/** Every state machine in a folder, by name. A new file is a new state machine. */
export function machineFiles(folder: string = MACHINES_FOLDER): MachineFile[] {
  const suffix = '.asl.json';
  const files = readdirSync(folder).filter((file) => file.endsWith(suffix));
  return files.sort().map((file) => read(path.join(folder, file), file.slice(0, -suffix.length)));
}

function read(file: string, name: string): MachineFile {
  const text = readFileSync(file, 'utf8');
  const placeholders = [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? '');
  return {
    name,
    path: file,
    placeholders: [...new Set(placeholders)].sort(),
    distributedMaps: labels(JSON.parse(text) as unknown),
    startsItself: text.includes('"$$.StateMachine.Id"'),
  };
}

function labels(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) {
    return [];
  }
  const state = node as { Label?: unknown; ItemProcessor?: { ProcessorConfig?: { Mode?: unknown } } };
  const distributed = state.ItemProcessor?.ProcessorConfig?.Mode === 'DISTRIBUTED';
  if (distributed && typeof state.Label !== 'string') {
    throw new Error('a Distributed Map needs a Label: rights on its children name it');
  }
  const own = distributed ? [state.Label as string] : [];
  return [...own, ...Object.values(node).flatMap(labels)];
}
