// Fields that events of well-known log sources have. Log sources that are not here may have any.

import type { RuleLogSource } from '../model.ts';

const words = (text: string): readonly string[] => text.split(' ').filter((word) => word !== '');

const SYSMON_COMMON =
  'UtcTime ProcessGuid ProcessId Image User RuleName EventID EventType Channel Provider_Name Computer Hashes md5 sha1 sha256 Imphash';

const BY_CATEGORY: Readonly<Record<string, readonly string[]>> = {
  process_creation: words(
    `${SYSMON_COMMON} FileVersion Description Product Company OriginalFileName CommandLine CurrentDirectory LogonGuid LogonId TerminalSessionId IntegrityLevel ParentProcessGuid ParentProcessId ParentImage ParentCommandLine ParentUser Provider GrandParentImage NewProcessName NewProcessId ParentProcessName ProcessCommandLine SubjectUserName SubjectUserSid SubjectDomainName SubjectLogonId TokenElevationType MandatoryLabel`,
  ),
  image_load: words(
    `${SYSMON_COMMON} ImageLoaded FileVersion Description Product Company OriginalFileName Signed Signature SignatureStatus CommandLine`,
  ),
  registry_set: words(`${SYSMON_COMMON} TargetObject Details NewName CommandLine`),
  dns_query: words(`${SYSMON_COMMON} QueryName QueryStatus QueryResults record_type answer CommandLine`),
};

/** Null where any field may occur. Only Windows' events are this well known. */
export function knownFields({ product, category, service }: RuleLogSource): ReadonlySet<string> | null {
  if (product !== 'windows' || service !== '' || !Object.hasOwn(BY_CATEGORY, category)) return null;
  return new Set(BY_CATEGORY[category]);
}

/** The known name that a misspelt one is nearest to, or ''. */
export function similar(name: string, known: ReadonlySet<string>): string {
  const wanted = name.toLowerCase();
  let best = '';
  let least = 3;
  for (const candidate of known) {
    const steps = distance(wanted, candidate.toLowerCase());
    if (steps < least) {
      least = steps;
      best = candidate;
    }
  }
  return best;
}

/** Levenshtein's. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length];
}
