// A log event that came as JSON. What it says stays bytes until somebody asks: most of the fields of most events nobody does.

import type { RawBatch } from '../../src/model/batch.ts';
import { textOf } from '../../src/model/bytes.ts';
import type { LogEvent, LogSource, Place } from '../../src/model/records.ts';
import { addressText } from './fields.ts';
import { KIND } from './json-scanner.ts';
import type { JsonTape } from './json-tape.ts';
import type { RecordIds } from './record-ids.ts';

/** Where a dialect of JSON keeps what Weir's own columns hold; '' for what the event does not say. */
export interface JsonSubject {
  sourceIp(log: JsonLog): string;
  destinationIp(log: JsonLog): string;
  host(log: JsonLog): string;
  user(log: JsonLog): string;
  severity(log: JsonLog): string;
  message(log: JsonLog): string;
}

const NONE: LogSource = { product: '', category: '', service: '' };

/** Valid as long as the batch is: then it becomes another event. Time, log source and PoP are set before it is handed over. */
export class JsonLog implements LogEvent {
  tape!: JsonTape;
  batch!: RawBatch;
  /** Its members in the tape. */
  first = 0;
  last = 0;
  ms = 0;
  ns = 0;
  segment = 0;
  rawStart = 0;
  rawLength = 0;
  tenant = 0;
  pop = '';
  logsource: LogSource = NONE;
  clockSkew = false;
  threat = '';
  derived: Readonly<Record<string, unknown>> | null = null;
  private readonly ids: RecordIds;
  private subject!: JsonSubject;
  private known: Record<string, unknown> | null = null;

  constructor(ids: RecordIds) {
    this.ids = ids;
  }

  /** Becomes the event that the tape has just read. */
  begin(tape: JsonTape, subject: JsonSubject, batch: RawBatch, place: Place, tenant: number): this {
    this.tape = tape;
    this.first = tape.first;
    this.last = tape.count;
    this.subject = subject;
    this.batch = batch;
    this.segment = place.segment;
    this.rawStart = place.rawStart;
    this.rawLength = place.rawLength;
    this.tenant = tenant;
    this.threat = '';
    this.derived = this.known = null;
    return this;
  }

  get id(): string {
    return this.ids.ofPlace(this.batch, this.segment, this.rawStart, this.rawLength);
  }

  get fields(): Record<string, unknown> {
    this.known ??= this.tape.objectOf(-1, this.first, this.last);
    return this.known;
  }

  get fieldsJson(): string {
    return textOf(this.batch.bytes, this.rawStart, this.rawStart + this.rawLength);
  }

  get sourceIp(): string {
    return this.subject.sourceIp(this);
  }

  get destinationIp(): string {
    return this.subject.destinationIp(this);
  }

  get host(): string {
    return this.subject.host(this);
  }

  get user(): string {
    return this.subject.user(this);
  }

  get severity(): string {
    return this.subject.severity(this);
  }

  get message(): string {
    return this.subject.message(this);
  }

  own(key: string): unknown {
    const { tape, first } = this;
    const names = tape.names.ofPath(key);
    if (names.length === 0) return undefined;
    for (let member = this.last - 1; member >= first; member--)
      if (tape.parent[member] < 0 && names.includes(tape.name[member])) return tape.value(member);
    return undefined;
  }

  /** The last member at a path from the record itself, however it is cut into keys; -1 when there is none, or null. */
  member(path: string): number {
    const { tape, first } = this;
    const names = tape.names.ofPath(path);
    if (names.length === 0) return -1;
    for (let member = this.last - 1; member >= first; member--)
      if (names.includes(tape.name[member])) return tape.kind[member] === KIND.null ? -1 : member;
    return -1;
  }

  /** The first of several paths that holds text that is not empty. */
  text(paths: readonly string[]): string {
    for (const path of paths) {
      const member = this.member(path);
      const text = member >= 0 && this.tape.isText(member) ? this.tape.text(member) : '';
      if (text !== '') return text;
    }
    return '';
  }

  /** As `text`; numbers count as their digits. */
  scalar(paths: readonly string[]): string {
    for (const path of paths) {
      const member = this.member(path);
      const text = member >= 0 && this.tape.kind[member] <= KIND.number ? this.tape.text(member) : '';
      if (text !== '') return text;
    }
    return '';
  }

  /** The first of several paths that holds an address, as canonical text. */
  address(paths: readonly string[]): string {
    for (const path of paths) {
      const member = this.member(path);
      const text = member >= 0 && this.tape.isText(member) ? addressText(this.tape.text(member)) : '';
      if (text !== '') return text;
    }
    return '';
  }
}
