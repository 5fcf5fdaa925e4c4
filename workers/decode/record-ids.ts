// Identifiers of records that have none of their own: the same input gives the same ones.

import { positionOf, type RawBatch, recordAt } from '../../src/model/batch.ts';
import { putU32, putU64, utf8 } from '../../src/model/bytes.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import type { FlowColumns } from '../../src/model/flow.ts';
import { hash128, hashWords, stampUuid, uuidText } from '../../src/model/hash.ts';

const FLOW_SEED = 0x666c6f77;

/** One a worker and control snapshot. */
export class RecordIds {
  private readonly tenantWords: readonly Uint8Array[];
  private readonly files = new Map<string, Uint8Array>();
  private scratch = new Uint8Array(256);

  constructor(snapshot: ControlSnapshot) {
    this.tenantWords = snapshot.tenants.map((tenant) => utf8(tenant.id.toLowerCase()));
  }

  /**
   * Gives row i an identifier made from its tenant (set before) and the producer's own key: `kind` names what the key is
   * (`zeek.uid`), the time is for keys that are unique only together with one.
   */
  fromProducer(
    flows: FlowColumns,
    i: number,
    kind: string,
    bytes: Uint8Array,
    start: number,
    end: number,
    ms = 0,
    ns = 0,
  ): void {
    const tenant = this.tenantWords[flows.tenant[i]];
    const head = tenant.length + kind.length + 17;
    const length = head + end - start;
    if (length > this.scratch.length) this.scratch = new Uint8Array(length * 2);
    const { scratch } = this;
    scratch.set(tenant, 0);
    for (let k = 0; k < kind.length; k++) scratch[tenant.length + k] = kind.charCodeAt(k);
    scratch[head - 17] = 0;
    putU64(scratch, head - 16, ms);
    putU64(scratch, head - 8, ns);
    for (let k = start; k < end; k++) scratch[head + k - start] = bytes[k];
    hash128(scratch, 0, length, FLOW_SEED);
    stampUuid(hashWords, 0);
    flows.id.set(hashWords, i * 4);
  }

  /** UUID text of the record at this place: from file identity, position and bytes. */
  ofPlace(batch: RawBatch, segmentIndex: number, rawStart: number, rawLength: number): string {
    this.placeHash(batch, segmentIndex, rawStart, rawLength);
    return uuidText(hashWords, 0);
  }

  /**
   * The same in `hashWords`. Two rounds: the bytes first, then (file, position, hash of the bytes), so that equal records at two
   * places differ.
   */
  placeHash(batch: RawBatch, segmentIndex: number, rawStart: number, rawLength: number): void {
    const segment = batch.segments[segmentIndex];
    hash128(batch.bytes, rawStart, rawStart + rawLength, FLOW_SEED);
    const place = this.placeOf(segment.file);
    const at = place.length - 24;
    for (let w = 0; w < 4; w++) putU32(place, at + w * 4, hashWords[w]);
    putU64(place, at + 16, positionOf(segment, rawStart));
    // A Kafka record of several lines has one offset for all of them.
    if (segment.records !== undefined) {
      const { records } = segment;
      const record = recordAt(records, rawStart);
      const inside = records.insides[record] + rawStart - records.starts[record];
      putU32(place, at, hashWords[0] ^ inside);
    }
    hash128(place, 0, place.length, FLOW_SEED);
    stampUuid(hashWords, 0);
  }

  private placeOf(file: string): Uint8Array {
    let place = this.files.get(file);
    if (place === undefined) {
      if (this.files.size >= 1024) this.files.clear();
      const name = utf8(file);
      place = new Uint8Array(name.length + 24);
      place.set(name);
      this.files.set(file, place);
    }
    return place;
  }
}
