// Sigma's log source of an event that does not declare one, from what the event says of itself.

import type { LogSource } from '../../src/model/records.ts';

/** Sysmon event id → Sigma category. */
const SYSMON: ReadonlyMap<string, string> = new Map([
  ['1', 'process_creation'],
  ['2', 'file_change'],
  ['3', 'network_connection'],
  ['4', 'sysmon_status'],
  ['5', 'process_termination'],
  ['6', 'driver_load'],
  ['7', 'image_load'],
  ['8', 'create_remote_thread'],
  ['9', 'raw_access_thread'],
  ['10', 'process_access'],
  ['11', 'file_event'],
  ['12', 'registry_event'],
  ['13', 'registry_set'],
  ['14', 'registry_rename'],
  ['15', 'create_stream_hash'],
  ['17', 'pipe_created'],
  ['18', 'pipe_created'],
  ['19', 'wmi_event'],
  ['20', 'wmi_event'],
  ['21', 'wmi_event'],
  ['22', 'dns_query'],
  ['23', 'file_delete'],
  ['25', 'process_tampering'],
  ['26', 'file_delete'],
]);

/** Windows channel → Sigma service. */
const CHANNELS: ReadonlyMap<string, string> = new Map([
  ['security', 'security'],
  ['system', 'system'],
  ['application', 'application'],
  ['windows powershell', 'powershell-classic'],
  ['microsoft-windows-powershell/operational', 'powershell'],
  ['microsoft-windows-windows defender/operational', 'windefend'],
  ['microsoft-windows-taskscheduler/operational', 'taskscheduler'],
  ['microsoft-windows-wmi-activity/operational', 'wmi'],
  ['microsoft-windows-dns-client/operational', 'dns-client'],
  ['dns server', 'dns-server'],
]);

export function deriveLogSource(channel: string, eventId: string, type: string, message: string): LogSource {
  if (channel !== '') {
    const name = channel.toLowerCase();
    if (name === 'microsoft-windows-sysmon/operational') {
      return { product: 'windows', category: SYSMON.get(eventId) ?? '', service: 'sysmon' };
    }
    const service = CHANNELS.get(name);
    if (service !== undefined) return { product: 'windows', category: '', service };
  }
  // auditd prints `msg=audit(1364481363.243:24287)`.
  if (type !== '' && message.startsWith('audit(')) return { product: 'linux', category: '', service: 'auditd' };
  return { product: '', category: '', service: '' };
}
