// Consistency levels as the protocol numbers them.

import type { ScyllaSettings } from '../../src/model/outputs.ts';

export const CONSISTENCY: Readonly<Record<ScyllaSettings['consistency'], number>> = {
  one: 0x01,
  quorum: 0x04,
  all: 0x05,
  local_quorum: 0x06,
  each_quorum: 0x07,
  local_one: 0x0a,
};
