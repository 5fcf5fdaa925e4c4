// Why a record, a file or a run was refused. Codes are stable: dashboards, tests and the dead letters use them.

/** Code → what the user can do about it. One sentence each; `docs/formats.md` is generated from this table. */
export const REJECT_ADVICE = {
  format_unknown: 'No known format fits these bytes; name the format with --format or in the source.',
  format_mismatch: 'The record is not in the format of its source; check --format or split the file.',
  syntax: 'The record is not well-formed; the position points at the first byte that cannot be read.',
  encoding: 'The record holds bytes that are not valid UTF-8; fix the producer.',
  record_too_large: 'The record is longer than limits.record_bytes; raise the limit or fix the producer.',
  too_deep: 'The record nests deeper than limits.depth.',
  too_many_keys: 'The record has more keys than limits.keys.',
  duplicate_key: 'A key that Weir reads appears twice in the record, so its value is ambiguous.',
  forbidden_key: 'The record has a key such as __proto__ which Weir refuses.',
  missing_field: 'A field that every record of this kind must have is missing.',
  wrong_type: 'A field has a type that cannot be read as what the field holds.',
  out_of_range:
    'A number lies outside what its field can hold, or a name (pop_id) is too long or has control characters.',
  bad_address: 'An address is neither IPv4 nor IPv6.',
  bad_timestamp: 'A timestamp cannot be read.',
  timestamp_range: 'A timestamp lies outside the years 2000 to 2100.',
  tenant_unknown: 'The record names a tenant that no configuration knows; add it to tenants.',
  tenant_inactive: 'The record names a tenant whose status is not active.',
  tenant_missing: 'Neither the record nor its source names a tenant; give --tenant or a tenant field.',
  tenant_mismatch: 'The record names another tenant than its source does.',
  pop_missing: 'Neither the record nor its source names a PoP; give --pop or a pop_id field.',
  input_truncated: 'The input ended in the middle of a record or of its compression stream.',
  input_corrupt: 'The compressed input cannot be read any further.',
  line_context: 'The record needs a header that did not come before it (Zeek #fields).',
  store_refused: 'The store refused this row; the detail holds its answer.',
} as const;

export type RejectCode = keyof typeof REJECT_ADVICE;
export const REJECT_CODES = Object.keys(REJECT_ADVICE) as readonly RejectCode[];

/** A refused record: counted, kept in the dead letters with its bytes, shown by `weir rejects`. */
export interface Reject {
  readonly code: RejectCode;
  /** One sentence about this very record: the field, the value. */
  readonly detail: string;
}
