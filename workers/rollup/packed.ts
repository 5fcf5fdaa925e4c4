// The packed partial: texts of the batch once each (varint count, then varint length and bytes; index 0 is '' and is not
// written), tenants (varint count, then 16 bytes each), entries (varint count, then PACKED words each).

/** Words of an entry: indices of its tenant, PoP, application and category, then minute, byte sum (low, high), requests, blocked. */
export const PACKED = 9;
