// Promises that can be broken on purpose, to show that the tests notice.

export const SABOTAGES = ['commit-before-acknowledgement', 'no-token', 'snapshot-skipped', 'epoch-unchecked'] as const;
export type Sabotage = (typeof SABOTAGES)[number];
