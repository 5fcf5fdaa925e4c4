// The check of policies' conditions that everything which reads a configuration makes: a policy that cannot be understood
// stops a run before it starts, with its file and line.

import { compilePolicy } from '../../workers/policy/index.ts';
import type { PolicyCheck } from '../control/index.ts';

export const checkPolicy: PolicyCheck = (policy) => compilePolicy(policy).problems;
