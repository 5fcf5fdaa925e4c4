// What rules and policies need of the host: addresses, the tenants' lists and their time zones.

import { type AddressCodec, type PlanEnvironment, ZoneClock } from '../../rules/plan/index.ts';
import type { ControlSnapshot } from '../../src/model/control.ts';
import { inPrefix, parseIp, parsePrefix } from '../../src/model/ip.ts';
import { PrefixTableBuilder } from '../enrich/lpm.ts';
import { Lists } from './lists.ts';

export const addresses: AddressCodec = {
  parse: parseIp,
  parsePrefix,
  inPrefix,
  table: (prefixes) => {
    const builder = new PrefixTableBuilder();
    for (const [i, { words, bits }] of prefixes.entries()) builder.add(words, bits, i + 1);
    const table = builder.build();
    return (words, at) => table.lookup(words, at);
  },
};

export function createEnvironment(snapshot: ControlSnapshot): PlanEnvironment {
  const lists = new Lists(snapshot);
  const byZone = new Map<string, ZoneClock>();
  const clocks = snapshot.tenants.map(({ timezone }) => {
    const clock = byZone.get(timezone) ?? new ZoneClock(timezone);
    byZone.set(timezone, clock);
    return clock;
  });
  return {
    addresses,
    member: (tenant, list, mode, text) => lists.member(tenant, list, mode, text),
    memberAddress: (tenant, list, words, at) => lists.memberAddress(tenant, list, words, at),
    localMs: (tenant, timeMs) => clocks[tenant].local(timeMs),
  };
}
