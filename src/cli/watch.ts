// Changes of configuration files while a run goes on: put in force from the next batch on, or refused with the reason. What
// fails for another reason (a full disk, Kafka away) is tried again: files change only once.

import { loadRules } from '../../rules/index.ts';
import type { Problem } from '../../rules/model.ts';
import { readRuleFiles } from '../control/index.ts';
import type { StartedRun } from '../main.ts';
import type { Log } from '../telemetry/log.ts';
import { type PreparedRun, problemText } from './prepare.ts';

const RETRY_MS = 1000;
const MAX_RETRY_MS = 60_000;

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
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;
  const change = (pause: number): void => {
    clearTimeout(retry);
    chain = chain
      .then(() => (stopped ? undefined : reload()))
      .catch((error: unknown) => {
        log.error({ err: error }, 'the configuration cannot be reloaded yet; what is in force stays');
        clearTimeout(retry);
        retry = setTimeout(change, pause, Math.min(pause * 2, MAX_RETRY_MS)).unref();
      });
  };
  const unwatch = prepared.repository.watch?.(() => change(RETRY_MS));
  return () => {
    stopped = true;
    clearTimeout(retry);
    unwatch?.();
  };
}
