// What a consumer group has still to read.

import type { Admin } from 'kafkajs';

/** Of the last transaction, and of those that died open. */
const MARKERS = 4;

/** What the group has not committed of what the topics hold, but for markers of transactions at a partition's end; '' for nothing. */
export async function lagOf(admin: Admin, group: string, topics: readonly string[]): Promise<string> {
  const [{ state, members }] = (await admin.describeGroups([group])).groups;
  if (state !== 'Stable' || members.length !== 1) return `${state}, ${members.length} members`;
  const committed = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
  for (const { topic, partitions } of committed)
    for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
      const offset = Number(partitions.find((own) => own.partition === partition)?.offset ?? -1);
      if (offset < Number(high) - MARKERS) return `${topic}/${partition}: ${offset} of ${high}`;
    }
  return '';
}
