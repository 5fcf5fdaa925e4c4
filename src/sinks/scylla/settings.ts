// From the configuration to what workers are told of ScyllaDB.

import { UsageError } from '../../cli/verb.ts';
import type { Config } from '../../config/schema.ts';
import { pem } from '../../kafka/options.ts';
import type { ScyllaSettings } from '../../model/outputs.ts';

/** Throws UsageError when no node is named. */
export function scyllaSettings(scylla: Config['scylla']): ScyllaSettings {
  if (scylla.contact_points.length === 0)
    throw new UsageError('store.kind: servers needs scylla.contact_points: name at least one node.');
  const { tls } = scylla;
  return {
    contactPoints: scylla.contact_points,
    localDataCenter: scylla.local_data_center,
    keyspace: scylla.keyspace,
    username: scylla.username,
    password: scylla.password,
    tls: tls.enabled
      ? { ca: tls.ca ? pem(tls.ca) : '', cert: tls.cert ? pem(tls.cert) : '', key: tls.key ? pem(tls.key) : '' }
      : null,
    consistency: scylla.consistency,
    batchBytes: scylla.batch_bytes,
    inFlight: scylla.in_flight,
    flowBucketMs: scylla.flow_bucket,
    requestTimeoutMs: scylla.request_timeout,
  };
}
