// Records whose rows a store refused, found again by decoding their batch once more: what is made of records that decoding refuses
// is made of them too.

import type { RawBatch } from '../src/model/batch.ts';
import type { Decoded } from '../src/model/decoded.ts';
import type { OutputName } from '../src/model/outputs.ts';
import type { Place, RejectedRecord } from '../src/model/records.ts';
import type { RefusedOfBatch, RefusedRecords } from '../src/model/work.ts';
import type { WorkerKit } from './kit.ts';
import { decodeAnew } from './stages.ts';

export function refuse(
  kit: WorkerKit,
  packed: RawBatch,
  table: OutputName,
  refused: readonly RefusedOfBatch[],
): RefusedRecords {
  const { decoded } = kit;
  const batch = decodeAnew(kit, packed);
  kit.divert(batch, decoded); // rows count without what took a detour
  const places = placesOf(decoded, table);
  const rejects = refused
    .filter(({ row }) => row < places.length)
    .map(({ row, code, message }): RejectedRecord => {
      const { tenant, segment, rawStart, rawLength } = places.at(row);
      const detail = `${table} refused the row with ${code}: ${message}`;
      return { code: 'store_refused', detail, tenant, segment, rawStart, rawLength, length: rawLength };
    });
  decoded.reset();
  decoded.rejects = rejects;
  return { rows: rejects.length > 0 ? kit.encode(batch, decoded) : [], seen: places.length };
}

interface Places {
  readonly length: number;
  at(row: number): Place & { readonly tenant: number };
}

function placesOf({ flows, sessions, tunnels, logs }: Decoded, table: OutputName): Places {
  const listed = { session_events: sessions, tunnel_stats: tunnels, logs }[table as 'logs'];
  if (listed !== undefined) return { length: listed.length, at: (row) => listed[row] };
  if (table !== 'flows') throw new Error(`rows of ${table} are of no record`);
  return {
    length: flows.length,
    at: (row) => ({
      tenant: flows.tenant[row],
      segment: flows.segment[row],
      rawStart: flows.rawStart[row],
      rawLength: flows.rawLength[row],
    }),
  };
}
