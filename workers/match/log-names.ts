// The names under which log events' canonical columns are known, as the plan asks for them.

import type { LogFieldNames } from '../../rules/plan/index.ts';
import { logField } from '../../src/model/fields.ts';
import type { LogEvent } from '../../src/model/records.ts';

export const LOG_NAMES: LogFieldNames<LogEvent> = {
  canonical: (name) => logField(name)?.read ?? null,
  aliases: (name) => {
    const field = logField(name);
    return field === undefined ? [] : [field.name, ...field.aliases].filter((alias) => alias !== name);
  },
};
