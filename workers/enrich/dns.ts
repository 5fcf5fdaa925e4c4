// Fields that rules read of a DNS name: the registered domain, what stands before it, and how random that looks.
// Effective top-level domains are an approximation: one label, or two where the last two are a known public suffix.

import type { LogEvent } from '../../src/model/records.ts';

/** Second-level labels under which country registries sell names: `co.uk`, `com.au`, `go.jp`. */
const SECOND_LEVEL = new Set(
  'ac co com edu gob gouv gov go gv id info int ltd me mil mod muni ne net nhs nic nom or org plc police pro sch web'.split(
    ' ',
  ),
);

/** Country registries that sell names directly too, but whose listed second level is public. Others never nest. */
const NESTED = new Set(
  (
    'ae ar at au bd bh bo br bw cn co cr cy do ec eg fj ge gh gt hk hn hu id il in iq ir je jm jo jp ke kh kr kw kz lb ' +
    'lk ly ma mm mo mt mw mx my mz na ng ni np nz om pa pe pg ph pk pl pr ps pt py qa rs ru sa sg sl sv sy th tj tn tr ' +
    'tt tw tz ua ug uk uy uz ve vn ye za zm zw'
  ).split(' '),
);

/** Providers below whose name every customer has a domain of their own. */
const PROVIDERS = new Set(
  (
    'github.io gitlab.io herokuapp.com netlify.app vercel.app pages.dev workers.dev web.app firebaseapp.com appspot.com ' +
    'azurewebsites.net cloudapp.net blob.core.windows.net cloudfront.net elasticbeanstalk.com s3.amazonaws.com ' +
    'blogspot.com wordpress.com ngrok.io ngrok-free.app trycloudflare.com duckdns.org no-ip.org ddns.net dyndns.org ' +
    'onrender.com fly.dev glitch.me repl.co'
  ).split(' '),
);

export interface DnsName {
  readonly registered: string;
  readonly subdomain: string;
  /** Shannon entropy of the subdomain's characters (dots left out), bits a character, two decimals. */
  readonly entropy: number;
}

/** Splits a name. Reverse lookups (`….arpa`) and single labels have no subdomain: their labels are addresses or hosts. */
export function splitDnsName(name: string): DnsName {
  const clean = name.toLowerCase().replace(/\.+$/, '');
  const labels = clean.split('.');
  const n = labels.length;
  if (n < 2) return { registered: clean, subdomain: '', entropy: 0 };
  if (labels[n - 1] === 'arpa') return { registered: `${labels[n - 2]}.arpa`, subdomain: '', entropy: 0 };
  const kept = Math.min(n, suffixLabels(labels) + 1);
  const subdomain = labels.slice(0, n - kept).join('.');
  return { registered: labels.slice(n - kept).join('.'), subdomain, entropy: entropyOf(subdomain) };
}

function suffixLabels(labels: readonly string[]): number {
  for (let size = 4; size >= 2; size--) {
    if (labels.length >= size && PROVIDERS.has(labels.slice(-size).join('.'))) return size;
  }
  const [second, top] = labels.slice(-2);
  return SECOND_LEVEL.has(second) && NESTED.has(top) ? 2 : 1;
}

function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  let total = 0;
  for (const c of text) {
    if (c === '.') continue;
    counts.set(c, (counts.get(c) ?? 0) + 1);
    total++;
  }
  let bits = 0;
  for (const count of counts.values()) bits -= (count / total) * Math.log2(count / total);
  return Math.round(bits * 100) / 100;
}

/** Guarantee 4: queries choose their names. */
const MOST_KNOWN = 4096;
let known = new Map<string, Readonly<Record<string, unknown>>>();

/** The fields that follow from the name of a query. They are for rules; what is stored stays the producer's. */
export function dnsFields(name: string): Readonly<Record<string, unknown>> {
  let fields = known.get(name);
  if (fields === undefined) {
    const { registered, subdomain, entropy } = splitDnsName(name);
    fields = Object.freeze({
      'dns.registered_domain': registered,
      'dns.subdomain': subdomain,
      'dns.subdomain_length': subdomain.length,
      'dns.entropy': entropy,
    });
    if (known.size >= MOST_KNOWN) known = new Map();
    known.set(name, fields);
  }
  return fields;
}

/** The name that a DNS event asks for: Zeek and native `query`, Suricata `dns.rrname` (versions 1 and 2) or `dns.queries`. */
export function queryName(event: LogEvent): string {
  const query = field(event, 'query');
  if (typeof query === 'string') return query;
  const dns = field(event, 'dns');
  const rrname = own(dns, 'rrname') ?? field(event, 'dns.rrname');
  if (typeof rrname === 'string') return rrname;
  const queries = own(dns, 'queries') ?? own(dns, 'query');
  const first = own(Array.isArray(queries) ? queries[0] : undefined, 'rrname');
  return typeof first === 'string' ? first : '';
}

/** A field of an event by its own key, undefined when it is absent. */
export function field(event: LogEvent, key: string): unknown {
  return event.own === undefined ? own(event.fields, key) : event.own(key);
}

/** An own member of an object, else undefined. Input decides the keys, so nothing is ever inherited. */
export function own(record: unknown, key: string): unknown {
  if (typeof record !== 'object' || record === null || !Object.hasOwn(record, key)) return undefined;
  return (record as Record<string, unknown>)[key];
}
