// Revisions of alerts as messages of the alerts topic: JSON, keyed by tenant. An id and a revision name one message, however
// often it is sent.

import { utf8 } from '../../src/model/bytes.ts';
import { MessageWriter } from '../../src/model/messages.ts';
import type { TableRows } from '../../src/model/tables.ts';
import type { Row } from '../correlate/rows.ts';

/** Version of the JSON document; raised when a member changes its meaning or goes. */
const SCHEMA = '1';

/** `rows` are those of the table `alerts`. */
export function alertMessages(rows: readonly Row[]): TableRows {
  const writer = new MessageWriter();
  for (const row of rows) {
    writer.add({
      key: utf8(String(row.tenant_id)),
      headers: [
        ['weir-schema', SCHEMA],
        ['weir-alert-id', String(row.alert_id)],
        ['weir-revision', String(row.revision)],
        ['weir-severity', String(row.severity)],
      ],
      value: utf8(String(row.details)),
    });
  }
  return { table: 'alert_messages', rows: rows.length, bytes: writer.take() };
}
