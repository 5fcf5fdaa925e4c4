// The plan: predicates in; out, which of them hold for a row of a table or for a log event. Compiled once per rule set.

export { calendarPart, minuteOfDay, ZoneClock } from './calendar.ts';
export { MEMBER_KIND, type MemberNames, type MemberTape } from './log-members.ts';
export { LogPlan } from './log-plan.ts';
export { compileEvent } from './log-test.ts';
export { jsonValues, type LogFieldNames, type LogRecord, LogView } from './log-view.ts';
export { appliesTo, appliesToFlows } from './logsource.ts';
export { normalize, testsOf } from './normal.ts';
export { compileRow } from './row-test.ts';
export { AFFIX, compileGlob, numericOf, type ScalarTest } from './scalar.ts';
export type {
  AddressCodec,
  AddressColumn,
  CodeColumn,
  DictionaryColumn,
  ListMode,
  NumberColumn,
  PlanEnvironment,
  Scalar,
  SlowColumn,
  Table,
  TableColumn,
} from './table.ts';
export { type Matches, TablePlan } from './table-plan.ts';
