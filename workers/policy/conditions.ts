// A policy's conditions: JSON as the policies table holds it → the predicate form, with every defect at its JSON path.

import type { Problem } from '../../rules/model.ts';
import type { FieldTest, Predicate } from '../../rules/predicate.ts';
import { regexProblem } from '../../rules/sigma/regex.ts';
import type { PolicyDocument } from '../../src/model/control.ts';
import { FLOW_FIELDS, flowField } from '../../src/model/fields.ts';
import { parseIp, parsePrefix } from '../../src/model/ip.ts';

/** A condition as written, and the predicate that it compiled to: what explanations are made of. */
export interface Leaf {
  /** JSON path, e.g. `$[1].or[0]`. */
  readonly path: string;
  readonly field: string;
  readonly op: string;
  readonly value: unknown;
}

export interface CompiledPolicy {
  /** Never true when there are errors: a policy that cannot be understood decides nothing. */
  readonly predicate: Predicate;
  readonly problems: readonly Problem[];
  /** By predicate node: the leaf that it came from. */
  readonly leaves: ReadonlyMap<Predicate, Leaf>;
}

const MAX_DEPTH = 32;
const NEVER: Predicate = { kind: 'constant', value: false };

/** Fields that the decision itself sets. */
const UNDECIDED = new Set(['policy_id', 'policy_name', 'policy_action', 'policy_version']);

export const OPERATORS = [
  'eq',
  'neq',
  'in',
  'not_in',
  'cidr',
  'range',
  'gt',
  'gte',
  'lt',
  'lte',
  'contains',
  'prefix',
  'suffix',
  'regex',
  'exists',
  'in_list',
  'time_of_day',
  'day_of_week',
] as const;

const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'];

type Json = { readonly [key: string]: unknown };

/** Compiles `policy.conditions`. `[]` matches everything. Problems name the policy as their file. */
export function compilePolicy(policy: PolicyDocument): CompiledPolicy {
  const compiler = new Compiler(`policy ${policy.name || policy.id} (${policy.id})`);
  const predicate = compiler.node(policy.conditions, '$', 0);
  const failed = compiler.problems.some(({ severity }) => severity === 'error');
  return { predicate: failed ? NEVER : predicate, problems: compiler.problems, leaves: compiler.leaves };
}

class Compiler {
  readonly problems: Problem[] = [];
  readonly leaves = new Map<Predicate, Leaf>();
  private readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  node(value: unknown, path: string, depth: number): Predicate {
    if (depth > MAX_DEPTH) return this.fail(path, 'policy.too_deep', `conditions nest deeper than ${MAX_DEPTH}`);
    if (Array.isArray(value))
      return { kind: 'and', of: value.map((part, i) => this.node(part, `${path}[${i}]`, depth + 1)) };
    if (typeof value !== 'object' || value === null) {
      return this.fail(path, 'policy.type', 'a condition must be an object or a list of conditions');
    }
    const condition = value as Json;
    // `conditions: {}` is as empty as []; deeper down, {} is a condition that somebody forgot to write.
    if (depth === 0 && Object.keys(condition).length === 0) return { kind: 'and', of: [] };
    const joints = ['and', 'or', 'not'].filter((key) => Object.hasOwn(condition, key));
    if (joints.length > 0) return this.joint(condition, joints[0], path, depth);
    return this.leaf(condition, path);
  }

  private joint(condition: Json, key: string, path: string, depth: number): Predicate {
    const extra = Object.keys(condition).find((other) => other !== key);
    if (extra !== undefined) {
      return this.fail(path, 'policy.unknown_key', `"${extra}" cannot stand beside "${key}"`);
    }
    const inner = condition[key];
    if (key === 'not') return { kind: 'not', of: this.node(inner, `${path}.not`, depth + 1) };
    if (!Array.isArray(inner)) return this.fail(`${path}.${key}`, 'policy.type', `"${key}" needs a list of conditions`);
    if (inner.length === 0) return this.fail(`${path}.${key}`, 'policy.empty', `"${key}" is empty`);
    const of = inner.map((part, i) => this.node(part, `${path}.${key}[${i}]`, depth + 1));
    return { kind: key === 'and' ? 'and' : 'or', of };
  }

  private leaf(condition: Json, path: string): Predicate {
    const extra = Object.keys(condition).find((key) => key !== 'field' && key !== 'op' && key !== 'value');
    if (extra !== undefined) {
      return this.fail(path, 'policy.unknown_key', `"${extra}" is not one of field, op, value, and, or, not`);
    }
    const op = condition.op;
    if (typeof op !== 'string' || !(OPERATORS as readonly string[]).includes(op)) {
      return this.fail(
        `${path}.op`,
        'policy.unknown_op',
        `${JSON.stringify(op)} is not one of ${OPERATORS.join(', ')}`,
      );
    }
    const timed = op === 'time_of_day' || op === 'day_of_week';
    const field = timed ? '' : condition.field;
    if (timed && condition.field !== undefined && flowField(String(condition.field))?.name !== 'timestamp') {
      return this.fail(`${path}.field`, 'policy.unknown_field', `${op} needs no field (or "timestamp")`);
    }
    if (!timed && (typeof field !== 'string' || field === '')) {
      return this.fail(`${path}.field`, 'policy.missing_field', 'a condition needs a "field"');
    }
    const predicate = timed
      ? this.calendar(op, condition.value, path)
      : this.compare(String(field), op, condition.value, path);
    this.leaves.set(predicate, { path, field: timed ? 'timestamp' : String(field), op, value: condition.value });
    return predicate;
  }

  private compare(field: string, op: string, value: unknown, path: string): Predicate {
    const known = flowField(field);
    if (known === undefined) {
      const names = FLOW_FIELDS.map(({ name }) => name).filter((name) => !UNDECIDED.has(name));
      return this.fail(
        `${path}.field`,
        'policy.unknown_field',
        `flows have no field "${field}"; known: ${names.join(', ')}`,
      );
    }
    if (UNDECIDED.has(known.name)) {
      return this.fail(`${path}.field`, 'policy.unknown_field', `"${field}" is set by the decision itself`);
    }
    const address = known.source.kind === 'address';
    const at = `${path}.value`;
    const test = (rest: object): Predicate => ({ kind: 'field', field, ...rest }) as FieldTest;
    switch (op) {
      case 'eq':
      case 'neq':
      case 'in':
      case 'not_in': {
        const many = op === 'in' || op === 'not_in';
        const values = many ? value : [value];
        if (!Array.isArray(values) || (many && values.length === 0)) {
          return this.fail(at, 'policy.value', `"${op}" needs a list of values that is not empty`);
        }
        const parts = values.map((one, i) => this.equal(test, one, address, many ? `${at}[${i}]` : at));
        const equal: Predicate = parts.length === 1 ? parts[0] : { kind: 'or', of: parts };
        return op === 'eq' || op === 'in' ? equal : { kind: 'not', of: equal };
      }
      case 'cidr': {
        const prefixes = Array.isArray(value) ? value : [value];
        const wrong = prefixes.find((prefix) => typeof prefix !== 'string' || parsePrefix(prefix) === null);
        if (prefixes.length === 0 || wrong !== undefined) {
          return this.fail(at, 'policy.value', `${JSON.stringify(wrong ?? value)} is not a network such as 10.0.0.0/8`);
        }
        if (!address) return this.fail(`${path}.field`, 'policy.value', `"${field}" holds no address`);
        return test({ test: 'cidr', prefixes });
      }
      case 'range':
        return this.range(test, value, at);
      case 'gt':
      case 'gte':
      case 'lt':
      case 'lte':
        if (typeof value !== 'number' || !Number.isFinite(value)) {
          return this.fail(at, 'policy.value', `"${op}" needs a number, not ${JSON.stringify(value)}`);
        }
        return test({ test: 'number', op, value });
      case 'contains':
      case 'prefix':
      case 'suffix': {
        const values = Array.isArray(value) ? value : [value];
        if (values.length === 0 || values.some((one) => typeof one !== 'string' || one === '')) {
          return this.fail(at, 'policy.value', `"${op}" needs a text that is not empty, or a list of them`);
        }
        const kind = op === 'contains' ? 'contains' : op === 'prefix' ? 'startswith' : 'endswith';
        return test({ test: kind, values, cased: false });
      }
      case 'regex': {
        if (typeof value !== 'string') {
          return this.fail(at, 'policy.value', `"regex" needs a text, not ${JSON.stringify(value)}`);
        }
        const problem = regexProblem(value, '');
        if (problem !== null) {
          return this.fail(
            at,
            'policy.regex',
            `the regular expression cannot run in linear time or is wrong: ${problem}`,
          );
        }
        return test({ test: 'regex', source: value, flags: '' });
      }
      case 'exists':
        if (value !== undefined && typeof value !== 'boolean') {
          return this.fail(at, 'policy.value', '"exists" needs true or false');
        }
        return test({ test: 'exists', value: value ?? true });
      default:
        if (typeof value !== 'string' || value === '') {
          return this.fail(at, 'policy.value', '"in_list" needs the name of a list');
        }
        return test({ test: 'list', list: value });
    }
  }

  private equal(test: (rest: object) => Predicate, value: unknown, address: boolean, path: string): Predicate {
    if (value === null) return test({ test: 'null' });
    if (typeof value === 'boolean') return test({ test: 'boolean', value });
    if (typeof value === 'number' && Number.isFinite(value)) return test({ test: 'numbers', values: [value] });
    if (typeof value !== 'string') return this.fail(path, 'policy.value', `${JSON.stringify(value)} is not a value`);
    if (address && value !== '' && !parseIp(value, new Uint32Array(4))) {
      return this.fail(
        path,
        'policy.value',
        `${JSON.stringify(value)} is no address; networks are compared with "cidr"`,
      );
    }
    return test({ test: 'equals', values: [value], cased: false });
  }

  /** [from, to] or {from, to}, both ends included; one may be left out of the object. */
  private range(test: (rest: object) => Predicate, value: unknown, path: string): Predicate {
    const ends = Array.isArray(value) ? { from: value[0], to: value[1] } : value;
    if (typeof ends !== 'object' || ends === null || (Array.isArray(value) && value.length !== 2)) {
      return this.fail(path, 'policy.value', '"range" needs [from, to] or {"from":…, "to":…}');
    }
    const { from, to } = ends as Json;
    const bad = [from, to].some((end) => end !== undefined && (typeof end !== 'number' || !Number.isFinite(end)));
    if (bad || (from === undefined && to === undefined)) {
      return this.fail(path, 'policy.value', '"range" needs numbers');
    }
    if (typeof from === 'number' && typeof to === 'number' && from > to) {
      return this.fail(path, 'policy.value', `"range" from ${from} to ${to} holds nothing`);
    }
    const of: Predicate[] = [];
    if (typeof from === 'number') of.push(test({ test: 'number', op: 'gte', value: from }));
    if (typeof to === 'number') of.push(test({ test: 'number', op: 'lte', value: to }));
    return { kind: 'and', of };
  }

  private calendar(op: string, value: unknown, path: string): Predicate {
    if (op === 'day_of_week') {
      const days = Array.isArray(value) ? value : [value];
      const numbers = days.map((day) => DAYS.indexOf(String(day).toLowerCase().slice(0, 3)) + 1);
      if (days.length === 0 || numbers.includes(0)) {
        return this.fail(`${path}.value`, 'policy.value', `"day_of_week" needs a list of ${DAYS.join(', ')}`);
      }
      return { kind: 'field', field: '', test: 'time', part: 'weekday', values: numbers };
    }
    const { from, to } = (typeof value === 'object' && value !== null ? value : {}) as Json;
    const fromMinute = minutes(from);
    const toMinute = minutes(to);
    if (fromMinute === null || toMinute === null) {
      return this.fail(`${path}.value`, 'policy.value', '"time_of_day" needs {"from":"08:00","to":"18:00"}');
    }
    return { kind: 'field', field: '', test: 'timeofday', fromMinute: fromMinute % 1440, toMinute: toMinute % 1440 };
  }

  private fail(path: string, code: string, message: string): Predicate {
    this.problems.push({
      file: this.file,
      line: 0,
      column: 0,
      severity: 'error',
      code,
      message: `${path}: ${message}.`,
    });
    return { ...NEVER };
  }
}

/** Minutes since midnight of HH:MM; 24:00 is the end of the day. */
function minutes(value: unknown): number | null {
  const match = typeof value === 'string' ? /^(\d\d):(\d\d)$/.exec(value) : null;
  if (match === null) return null;
  const total = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) > 59 || total > 1440 ? null : total;
}
