// A connection to ScyllaDB or Cassandra for what is not hot: migrating, examining, purging.

import { auth, Client } from 'cassandra-driver';
import { OperationalError } from '../../cli/verb.ts';
import type { Config } from '../../config/schema.ts';
import { tlsOptions } from '../../kafka/options.ts';

/** Throws OperationalError('scylla_unreachable'). */
export async function scyllaClient(scylla: Config['scylla']): Promise<Client> {
  const { contact_points: contactPoints, local_data_center: localDataCenter, username, password, tls } = scylla;
  const client = new Client({
    contactPoints: [...contactPoints],
    localDataCenter,
    ...(username === '' ? {} : { authProvider: new auth.PlainTextAuthProvider(username, password) }),
    ...(tls.enabled ? { sslOptions: { rejectUnauthorized: true, ...tlsOptions(tls) } } : {}),
    pooling: { coreConnectionsPerHost: { 0: 1, 1: 1 } },
    socketOptions: { readTimeout: 30_000, connectTimeout: 5000 },
  });
  try {
    await client.connect();
    return client;
  } catch (error) {
    await client.shutdown().catch(() => {});
    const message = `none of ${contactPoints.join(', ')} can be reached: ${String(error)}`;
    throw new OperationalError('scylla_unreachable', message, error);
  }
}
