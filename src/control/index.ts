// Tenants, policies, lists and rules: where they come from, and the versioned snapshots of them that the workers get.

export { builtinDatabase } from './geo.ts';
export type { ControlDocuments, ControlRepository } from './repository.ts';
export { type FoundRuleFile, readRuleFiles } from './rule-files.ts';
export { buildSnapshot, canonicalJson, loadSnapshot, saveSnapshot, sourceDefinition } from './snapshot.ts';
export { createTenant, tenantId } from './tenants.ts';
export { createYamlRepository, loadDocuments, type PolicyCheck } from './yaml.ts';
