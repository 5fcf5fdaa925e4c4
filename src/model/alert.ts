// An alert, as `threat_analytics.details`, the `alerts` table, the topic and the API carry it.

export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;
export type Level = (typeof LEVELS)[number];

export interface AttackReference {
  readonly id: string;
  readonly name: string;
}

export interface AlertEvidence {
  /** Flow or log id of the event. */
  readonly event_id: string;
  /** Event time, RFC 3339. */
  readonly timestamp: string;
  /** File identity (or topic/partition) and byte position (or offset). */
  readonly stream: string;
  readonly position: number;
  /** The record's own bytes, as text; absent for events of which only the position was kept. */
  readonly raw?: string;
}

export interface Alert {
  readonly schema: 1;
  readonly alert_id: string;
  readonly tenant_id: string;
  readonly tenant: string;
  readonly first_seen: string;
  readonly last_seen: string;
  readonly rule: { readonly id: string; readonly version: string; readonly hash: string };
  /** The event count at which this revision was written: grows, the highest is the alert. */
  readonly revision: number;
  readonly title: string;
  /** One sentence with the values that matched. */
  readonly reason: string;
  readonly severity: Level;
  readonly confidence: 'low' | 'medium' | 'high';
  /** First ATT&CK tactic's name, or 'policy' / 'operations' for rules without one. */
  readonly category: string;
  readonly attack: {
    readonly version: string;
    readonly tactics: readonly AttackReference[];
    readonly techniques: readonly AttackReference[];
  };
  readonly entities: {
    readonly source_ip: string;
    readonly destination_ip: string;
    readonly source_port: number;
    readonly destination_port: number;
    readonly protocol: number;
    readonly user: string;
    readonly device: string;
    readonly site: string;
    readonly pop: string;
    readonly host: string;
    readonly application: string;
    readonly direction: string;
    readonly source_country: string;
    readonly destination_country: string;
    readonly threat: string;
    readonly community_id: string;
  };
  /** Group-by fields and their values. */
  readonly group: Readonly<Record<string, string>>;
  readonly count: number;
  readonly evidence: readonly AlertEvidence[];
  readonly policy: { readonly id: string; readonly action: string };
  readonly suppression: { readonly window_ms: number; readonly until: string };
  readonly runbook: string;
  readonly references: readonly string[];
  readonly false_positives: readonly string[];
}
