// The port behind which tenants, policies and lists live. YAML files implement it now; a database will.

import type { Problem } from '../../rules/model.ts';
import type { ListDocument, PolicyDocument, Tenant } from '../model/control.ts';

export interface ControlDocuments {
  readonly tenants: readonly Tenant[];
  readonly policies: readonly PolicyDocument[];
  /** Lists for all tenants; `file` is still the path that the user wrote (absolute). */
  readonly lists: readonly ListDocument[];
  /** With an error among them, the documents must not be put in force. */
  readonly problems: readonly Problem[];
}

export interface ControlRepository {
  load(): Promise<ControlDocuments>;
  /** Calls back after something that `load` reads has changed. Returns how to stop watching. */
  watch?(onChange: () => void): () => void;
}
