// What decoders hand over of a log event.

import type { LogSource } from '../../src/model/records.ts';

/** What a decoder knows of a log event; what is left out is ''. */
export interface LogParts {
  readonly ms: number;
  readonly ns: number;
  readonly logsource: LogSource;
  readonly fields: Record<string, unknown>;
  readonly fieldsJson: string;
  /** The record's own PoP; the source's is used when it is absent or ''. */
  readonly pop?: string;
  readonly sourceIp?: string;
  readonly destinationIp?: string;
  readonly host?: string;
  readonly user?: string;
  readonly severity?: string;
  readonly message?: string;
}
