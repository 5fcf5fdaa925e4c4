// What producers say of their events → Sigma's log sources: data, read by log-source.ts.

import type { LogSource } from '../../src/model/records.ts';

/** Sysmon event id → Sigma category. */
export const SYSMON: Readonly<Record<string, string>> = {
  1: 'process_creation',
  2: 'file_change',
  3: 'network_connection',
  4: 'sysmon_status',
  5: 'process_termination',
  6: 'driver_load',
  7: 'image_load',
  8: 'create_remote_thread',
  9: 'raw_access_thread',
  10: 'process_access',
  11: 'file_event',
  12: 'registry_event',
  13: 'registry_set',
  14: 'registry_rename',
  15: 'create_stream_hash',
  16: 'sysmon_status',
  17: 'pipe_created',
  18: 'pipe_created',
  19: 'wmi_event',
  20: 'wmi_event',
  21: 'wmi_event',
  22: 'dns_query',
  23: 'file_delete',
  24: 'clipboard_capture',
  25: 'process_tampering',
  26: 'file_delete_detected',
  27: 'file_block_executable',
  28: 'file_block_shredding',
  29: 'file_executable_detected',
  255: 'sysmon_error',
};

/** Sysmon's event 12 tells keys that were made from keys that were deleted by its EventType. */
export const REGISTRY_TYPES: Readonly<Record<string, string>> = {
  createkey: 'registry_add',
  deletekey: 'registry_delete',
  deletevalue: 'registry_delete',
};

/** Windows channel, in lower case → Sigma service. */
export const CHANNELS: Readonly<Record<string, string>> = {
  security: 'security',
  system: 'system',
  application: 'application',
  'windows powershell': 'powershell-classic',
  'microsoft-windows-powershell/operational': 'powershell',
  'powershellcore/operational': 'powershell',
  'microsoft-windows-sysmon/operational': 'sysmon',
  'microsoft-windows-windows defender/operational': 'windefend',
  'microsoft-windows-taskscheduler/operational': 'taskscheduler',
  'microsoft-windows-wmi-activity/operational': 'wmi',
  'microsoft-windows-dns-client/operational': 'dns-client',
  'dns server': 'dns-server',
  'microsoft-windows-dns-server/analytical': 'dns-server-analytic',
  'microsoft-windows-dhcp-server/operational': 'dhcp',
  'microsoft-windows-driverframeworks-usermode/operational': 'driver-framework',
  'microsoft-windows-ntlm/operational': 'ntlm',
  'microsoft-windows-printservice/admin': 'printservice-admin',
  'microsoft-windows-printservice/operational': 'printservice-operational',
  'microsoft-windows-smbclient/security': 'smbclient-security',
  'microsoft-windows-smbclient/connectivity': 'smbclient-connectivity',
  'microsoft-windows-smbserver/connectivity': 'smbserver-connectivity',
  'microsoft-windows-terminalservices-localsessionmanager/operational': 'terminalservices-localsessionmanager',
  'microsoft-windows-bits-client/operational': 'bits-client',
  'microsoft-windows-windows firewall with advanced security/firewall': 'firewall-as',
  'microsoft-windows-codeintegrity/operational': 'codeintegrity-operational',
  'microsoft-windows-appxdeploymentserver/operational': 'appxdeployment-server',
  'microsoft-windows-appxpackaging/operational': 'appxpackaging-om',
  'microsoft-windows-appmodel-runtime/admin': 'appmodel-runtime',
  'microsoft-windows-lsa/operational': 'lsa-server',
  'microsoft-windows-capi2/operational': 'capi2',
  'microsoft-windows-certificateservicesclient-lifecycle-system/operational':
    'certificateservicesclient-lifecycle-system',
  'microsoft-windows-diagnosis-scripted/operational': 'diagnosis-scripted',
  'microsoft-windows-shell-core/operational': 'shell-core',
  'openssh/operational': 'openssh',
  'microsoft-windows-ldap-client/debug': 'ldap',
  'microsoft-windows-bitlocker/bitlocker management': 'bitlocker',
  'microsoft-windows-vhdmp-operational': 'vhdmp',
  'microsoft-windows-applocker/exe and dll': 'applocker',
  'microsoft-windows-applocker/msi and script': 'applocker',
  'microsoft-windows-applocker/packaged app-deployment': 'applocker',
  'microsoft-windows-applocker/packaged app-execution': 'applocker',
  'msexchange management': 'msexchange-management',
  'microsoft-servicebus-client': 'microsoft-servicebus-client',
  'microsoft-windows-security-mitigations/kernel mode': 'security-mitigations',
  'microsoft-windows-security-mitigations/user mode': 'security-mitigations',
  'microsoft-iis-configuration/operational': 'iis-configuration',
  'microsoft-windows-hyper-v-worker': 'hyper-v-worker',
  'microsoft-windows-kernel-eventtracing': 'kernel-event-tracing',
};

/** Sigma service of a Windows channel, then event id → category. */
export const CATEGORIES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  sysmon: SYSMON,
  security: { 4688: 'process_creation' },
  powershell: { 4103: 'ps_module', 4104: 'ps_script' },
  'powershell-classic': { 400: 'ps_classic_start', 600: 'ps_classic_provider_start' },
};

const of = (product: string, category: string, service: string): LogSource => ({ product, category, service });

/** `event.dataset` of the Elastic Common Schema. */
export const DATASETS: Readonly<Record<string, LogSource>> = {
  'aws.cloudtrail': of('aws', '', 'cloudtrail'),
  'azure.activitylogs': of('azure', '', 'activitylogs'),
  'azure.auditlogs': of('azure', '', 'auditlogs'),
  'azure.signinlogs': of('azure', '', 'signinlogs'),
  'cisco.asa': of('cisco', 'firewall', 'asa'),
  'gcp.audit': of('gcp', '', 'gcp.audit'),
  'github.audit': of('github', '', 'audit'),
  'kubernetes.audit_logs': of('kubernetes', 'application', 'audit'),
  'o365.audit': of('m365', '', 'audit'),
  'okta.system': of('okta', '', 'okta'),
  'apache.access': of('apache', 'webserver', 'apache'),
  'nginx.access': of('nginx', 'webserver', 'nginx'),
  'iis.access': of('windows', 'webserver', 'iis'),
  'squid.log': of('squid', 'proxy', 'squid'),
  'system.auth': of('linux', '', 'auth'),
  'system.syslog': of('linux', '', 'syslog'),
  'auditd.log': of('linux', '', 'auditd'),
};

export interface Signature {
  /** Fields (dotted paths) that the event must have, with what their text must begin with, in lower case ('' for anything). */
  readonly has: Readonly<Record<string, string>>;
  readonly source: LogSource;
}

/** Events that name neither a channel nor a dataset, by the fields that only they have. The first that fits decides. */
export const SIGNATURES: readonly Signature[] = [
  { has: { eventSource: '', eventName: '', awsRegion: '' }, source: of('aws', '', 'cloudtrail') },
  { has: { apiVersion: 'audit.k8s.io/', verb: '' }, source: of('kubernetes', 'application', 'audit') },
  {
    has: { 'protoPayload.@type': 'type.googleapis.com/google.cloud.audit.' },
    source: of('gcp', '', 'gcp.audit'),
  },
  { has: { eventType: '', debugContext: '', published: '' }, source: of('okta', '', 'okta') },
  { has: { Workload: '', RecordType: '', Operation: '' }, source: of('m365', '', 'audit') },
  { has: { category: 'signinlogs', operationName: '' }, source: of('azure', '', 'signinlogs') },
  { has: { category: 'auditlogs', operationName: '' }, source: of('azure', '', 'auditlogs') },
  { has: { category: 'administrative', operationName: '' }, source: of('azure', '', 'activitylogs') },
  // auditd prints `msg=audit(1364481363.243:24287)`.
  { has: { type: '', msg: 'audit(' }, source: of('linux', '', 'auditd') },
];
