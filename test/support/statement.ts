// Runs a statement that no user can: node statement.js DIR SQL. For tests that need a store of another day.

import { openDataDirectory } from '../../src/delivery/directory.ts';
import { openChdbStore } from '../../src/sinks/clickhouse/chdb.ts';

const [, , directory, sql] = process.argv;
const { release } = openDataDirectory(directory);
const store = await openChdbStore({ directory });
await store.query(sql, 'Null');
await store.close();
release();
