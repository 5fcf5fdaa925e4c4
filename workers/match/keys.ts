// Group keys: the fields by which hits are counted and suppressed, in canonical bytes, so that the same value of a flow and
// of a log is the same key: addresses as addresses, numbers as numbers, the rest as text. Of several values the first counts.

import { type LogRecord, type LogView, numericOf, type Scalar, type TableColumn } from '../../rules/plan/index.ts';
import { utf8 } from '../../src/model/bytes.ts';
import type { Dictionary } from '../../src/model/dictionary.ts';
import { canonicalKind } from '../../src/model/fields.ts';
import type { KeyWriter } from '../../src/model/hits.ts';
import { parseIp } from '../../src/model/ip.ts';

/** Group key of a rule that alerts on single events: one alert an entity, for as long as it is suppressed. */
export const ENTITY_KEY = ['source_ip', 'destination_ip', 'user', 'host'] as const;

/** Writes the field's value of a row (or of the bound event); false, and nothing written, when it is absent. */
export type KeyPart = (row: number, into: KeyWriter) => boolean;

export function flowKeyPart(column: TableColumn, dictionary: Dictionary): KeyPart {
  switch (column.kind) {
    case 'address':
      return (row, into) => {
        const words = column.words();
        const at = row * 4;
        if ((words[at] | words[at + 1] | words[at + 2] | words[at + 3]) === 0) return false;
        into.ip(words, at);
        return true;
      };
    case 'dictionary':
      return (row, into) => {
        const id = column.ids()[row];
        if (id === 0) return false;
        into.text(dictionary.bytes(id));
        return true;
      };
    case 'number':
      return (row, into) => {
        const value = column.at(row);
        if (Number.isNaN(value)) return false;
        into.number(value);
        return true;
      };
    default:
      return (row, into) => writeScalar(column.values(row)[0], 'text', into);
  }
}

export function logKeyPart<R extends LogRecord>(view: LogView<R>, field: string): KeyPart {
  const slot = view.slot(field);
  const kind = canonicalKind(field);
  return (_, into) => writeScalar(view.values(slot).first(), kind, into);
}

const words = new Uint32Array(4);

function writeScalar(value: Scalar | undefined, kind: 'address' | 'number' | 'text', into: KeyWriter): boolean {
  if (value === undefined || value === '') return false;
  if (kind === 'address' && typeof value === 'string' && parseIp(value, words)) into.ip(words, 0);
  else if (typeof value === 'number') into.number(value);
  else {
    const number = kind === 'number' ? numericOf(value) : Number.NaN;
    if (Number.isNaN(number)) into.text(utf8(String(value)));
    else into.number(number);
  }
  return true;
}
