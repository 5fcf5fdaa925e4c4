// Which refused records are meant: the filters that list and replay share.

import { REJECT_CODES, type RejectCode } from '../model/reject.ts';
import { tenantNamed } from './tenant-name.ts';
import { parseMoment } from './values.ts';
import { UsageError, type Values } from './verb.ts';

export interface RejectFilter {
  readonly tenantId?: string;
  readonly code?: RejectCode;
  readonly source?: string;
  readonly sinceMs?: number;
  readonly untilMs?: number;
}

export async function filterOf(values: Values): Promise<RejectFilter> {
  const code = values.code === undefined ? undefined : String(values.code);
  const known = REJECT_CODES.find((one) => one === code);
  if (code !== undefined && known === undefined)
    throw new UsageError(`--code is one of ${REJECT_CODES.join(', ')}, not '${code}'.`);
  return {
    ...(known === undefined ? {} : { code: known }),
    ...(values.source === undefined ? {} : { source: String(values.source) }),
    ...(values.tenant === undefined ? {} : { tenantId: (await tenantNamed(String(values.tenant), values)).id }),
    ...(values.since === undefined ? {} : { sinceMs: parseMoment('--since', values.since) }),
    ...(values.until === undefined ? {} : { untilMs: parseMoment('--until', values.until) }),
  };
}

/** Throws UsageError. */
export function idOf(text: string): string {
  if (!/^[0-9a-f-]{4,36}$/i.test(text))
    throw new UsageError(`'${text}' is no reject id (hexadecimal, four digits or more).`);
  return text.toLowerCase();
}
