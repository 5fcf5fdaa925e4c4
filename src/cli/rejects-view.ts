// Refused records as people and programs see them, wherever they are kept.

import { basename } from 'node:path';
import { REJECT_ADVICE, type RejectCode } from '../model/reject.ts';
import { printable, printableBytes, printableJson, renderTable } from './table.ts';
import type { Io } from './verb.ts';

export interface Rejected {
  readonly reject_id: string;
  readonly tenant_id: string;
  readonly source: string;
  /** Identity of a file, or topic/partition. */
  readonly file: string;
  /** Where the file lay when it was last read; null where that is not known, and for Kafka. */
  readonly path: string | null;
  readonly position: number;
  readonly length: number;
  readonly code: RejectCode;
  readonly detail: string;
  readonly format: string;
  /** RFC 3339. */
  readonly rejected_at: string;
  /** When it was sent back, as which attempt; null: it was not. Absent where it did not come from Kafka. */
  readonly replayed?: { readonly to: string; readonly at: string; readonly attempt: number } | null;
  readonly bytes: Buffer;
}

export interface RejectList {
  readonly counts: ReadonlyMap<string, number>;
  readonly found: readonly Rejected[];
}

export function printList({ counts, found }: RejectList, json: boolean, io: Io): void {
  const sorted = [...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  if (json) {
    const document = { counts: Object.fromEntries(sorted), rejects: found.map(asDocument) };
    io.stdout.write(`${printableJson(JSON.stringify(document))}\n`);
    return;
  }
  if (sorted.length === 0) {
    io.stdout.write('no rejected records\n');
    return;
  }
  const width = io.stdout.isTTY ? (io.stdout.columns ?? 0) : 0;
  io.stdout.write(
    renderTable(
      [{ title: 'code' }, { title: 'records', align: 'right' }, { title: 'what to do' }],
      sorted.map(([code, n]) => [code, String(n), adviceFor(code)]),
      { width },
    ),
  );
  const titles = ['id', 'code', 'source', 'file', 'position', 'detail', 'record'].map((title) => ({ title }));
  const rows = found.map((r) => [
    r.reject_id.slice(0, 8),
    r.replayed ? `${r.code} (replayed)` : r.code,
    r.source,
    fileName(r),
    String(r.position),
    r.detail,
    head(r.bytes),
  ]);
  io.stdout.write(`\n${renderTable(titles, rows, { width })}`);
  const total = sorted.reduce((sum, [, n]) => sum + n, 0);
  io.stdout.write(`${found.length} of ${total} rejected records; 'weir rejects show ID' shows one\n`);
}

export function printOne(reject: Rejected, json: boolean, io: Io): void {
  io.stdout.write(json ? `${printableJson(JSON.stringify(asDocument(reject)))}\n` : page(reject));
}

function fileName({ path, file }: Rejected): string {
  if (path !== null) return basename(path);
  return file.includes('/') ? file : file.slice(0, 8);
}

function page(reject: Rejected): string {
  const { path, bytes, length, replayed } = reject;
  const kept = bytes.length < length ? `, the first ${bytes.length} kept` : '';
  const tenant = /^[0-]*$/.test(reject.tenant_id) ? 'not known' : reject.tenant_id;
  const inKafka = reject.replayed !== undefined;
  const place = inKafka
    ? [`  topic     ${printable(reject.file)}`, `  offset    ${reject.position}, ${length} bytes${kept}`]
    : [
        ...(path === null ? [] : [`  path      ${printable(path)} (when it was last read)`]),
        `  file      ${printable(reject.file)}`,
        `  position  byte ${reject.position} (of the unpacked data), ${length} bytes${kept}`,
      ];
  const lines = [
    `${reject.code}: ${printable(reject.detail)}`,
    adviceFor(reject.code),
    '',
    `  reject    ${printable(reject.reject_id)}`,
    `  tenant    ${printable(tenant)}`,
    `  source    ${printable(reject.source)}`,
    `  format    ${printable(reject.format)}`,
    `  rejected  ${reject.rejected_at}`,
    ...place,
    ...(replayed ? [`  replayed  ${replayed.at} to ${printable(replayed.to)} as attempt ${replayed.attempt}`] : []),
    '',
    printableBytes(bytes),
  ];
  return `${lines.join('\n')}\n`;
}

/** As --json gives it: the bytes as text where they are UTF-8, and always as base64. */
function asDocument({ bytes, ...rest }: Rejected) {
  return {
    ...rest,
    advice: adviceFor(rest.code),
    raw: bytes.toString('utf8'),
    raw_base64: bytes.toString('base64'),
  };
}

function adviceFor(code: string): string {
  return Object.hasOwn(REJECT_ADVICE, code) ? REJECT_ADVICE[code as RejectCode] : '';
}

function head(bytes: Buffer): string {
  return printableBytes(bytes.subarray(0, 80)) + (bytes.length > 80 ? '…' : '');
}
