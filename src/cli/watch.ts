// Changes of configuration files while a run goes on: put in force from the next batch on, or refused with the reason.

import { loadRules } from '../../rules/index.ts';
import type { Problem } from '../../rules/model.ts';
import { readRuleFiles } from '../control/index.ts';
import type { StartedRun } from '../main.ts';
import type { Log } from '../telemetry/log.ts';
import { type PreparedRun, problemText } from './prepare.ts';

/** Watches until the returned function is called. A broken change leaves what is in force. */
export function watchControl(prepared: PreparedRun, started: StartedRun, log: Log): () => void {
  let chain = Promise.resolve();
  const reload = async (): Promise<void> => {
    const documents = await prepared.repository.load();
    const rules = loadRules(await readRuleFiles(prepared.config));
    const of = (severity: Problem['severity']): string[] =>
      [...documents.problems, ...rules.problems]
        .filter((problem) => problem.severity === severity)
        .map(problemText)
        .filter((text) => !prepared.problems.includes(text)); // the run started with those
    const errors = of('error');
    if (errors.length > 0)
      return log.error({ problems: errors }, 'the changed configuration is refused; what is in force stays');
    const warnings = of('warning');
    if (warnings.length > 0) log.warn({ problems: warnings }, 'the changed configuration has flaws');
    await started.reload(prepared.withCreated(documents));
    log.info('the changed configuration is in force from the next batch on');
  };
  return (
    prepared.repository.watch?.(() => {
      chain = chain
        .then(reload)
        .catch((error: unknown) => log.error({ err: error }, 'the configuration cannot be reloaded'));
    }) ?? (() => {})
  );
}
