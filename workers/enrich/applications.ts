// What an application is called and which category it belongs to: tables over ports, IP protocols, the names that
// Zeek and Suricata give to what they recognised, and well-known hosts. Tenants extend the categories.

/** category → its applications, with ports in the form `name[:tcp/PORT|udp/PORT|PORT …]` (a bare port: both). */
const CATALOGUE: Readonly<Record<string, string>> = {
  web: 'http:tcp/80,tcp/8080,tcp/8000,tcp/8888,tcp/3128 https:tcp/443,tcp/8443 quic:udp/443 tls: websocket:',
  dns: 'dns:53 dns-over-tls:853 mdns:udp/5353 llmnr:5355 netbios-ns:udp/137',
  mail: 'smtp:tcp/25,tcp/587,tcp/465 imap:tcp/143,tcp/993 pop3:tcp/110,tcp/995',
  'file-transfer':
    'ftp:tcp/21 ftp-data:tcp/20 tftp:udp/69 rsync:tcp/873 smb:tcp/445,tcp/139 nfs:2049 afp:tcp/548 netbios-dgm:udp/138 sftp:',
  'remote-access':
    'ssh:tcp/22 telnet:tcp/23,tcp/2323 rdp:3389 vnc:tcp/5900,tcp/5901 winrm:tcp/5985,tcp/5986 x11:tcp/6000 ' +
    'teamviewer:5938 anydesk:tcp/7070 rlogin:tcp/513 rsh:tcp/514',
  directory:
    'ldap:389 ldaps:tcp/636 kerberos:88,464 globalcatalog:tcp/3268,tcp/3269 radius:udp/1812,udp/1813 tacacs:tcp/49',
  rpc: 'msrpc:135 sunrpc:111 dce_rpc:',
  database:
    'mysql:tcp/3306 postgresql:tcp/5432 mssql:tcp/1433,udp/1434 oracle:tcp/1521 mongodb:tcp/27017 redis:tcp/6379 ' +
    'cassandra:tcp/9042 elasticsearch:tcp/9200,tcp/9300 memcached:11211 clickhouse:tcp/9000,tcp/8123 couchdb:tcp/5984 ' +
    'influxdb:tcp/8086',
  messaging:
    'amqp:tcp/5672,tcp/5671 kafka:tcp/9092 mqtt:tcp/1883,tcp/8883 xmpp:tcp/5222,tcp/5269 irc:tcp/6667,tcp/6697 nats:tcp/4222 stomp:tcp/61613',
  voip: 'sip:5060,5061 stun:3478 h323:tcp/1720 rtp: iax:udp/4569',
  vpn: 'ipsec:udp/500,udp/4500 openvpn:1194 wireguard:udp/51820 pptp:tcp/1723 l2tp:udp/1701 gre: esp: ah: ipip: socks:tcp/1080',
  infrastructure:
    'ntp:udp/123 dhcp:udp/67,udp/68 dhcpv6:udp/546,udp/547 bgp:tcp/179 icmp: icmpv6: igmp: ospf: eigrp: pim: vrrp: sctp: ' +
    'ssdp:udp/1900 ws-discovery:udp/3702 vxlan:udp/4789 hsrp:udp/1985 bfd:udp/3784',
  management:
    'snmp:udp/161 snmp-trap:udp/162 syslog:udp/514,tcp/6514 netflow:udp/2055,udp/9995 ipfix:udp/4739 sflow:udp/6343 ' +
    'ipmi:udp/623 zabbix:tcp/10050,tcp/10051 prometheus:tcp/9090 netconf:tcp/830 docker:tcp/2375,tcp/2376 kubernetes:tcp/6443 ' +
    'etcd:tcp/2379,tcp/2380 jenkins: printer:tcp/9100,tcp/515 ipp:631 adb:tcp/5555 cwmp:tcp/7547',
  industrial:
    'modbus:tcp/502 dnp3:20000 s7comm:tcp/102 bacnet:udp/47808 opcua:tcp/4840 ethernetip:tcp/44818 iec104:tcp/2404 coap:udp/5683',
  p2p: 'bittorrent:6881,6882,6883,6884,6885,6886,6887,6888,6889',
  streaming: 'rtsp:tcp/554 rtmp:tcp/1935 youtube: netflix: spotify: twitch: tiktok: zattoo:',
  collaboration:
    'office365: teams: slack: zoom: webex: google-workspace: google-meet: atlassian: notion: salesforce: servicenow: workday: skype:',
  'cloud-storage': 'dropbox: box: onedrive: google-drive: icloud: wetransfer: mega: s3: azure-storage:',
  cloud: 'aws: azure: google-cloud: cloudflare: akamai: fastly: digitalocean:',
  development: 'github: gitlab: bitbucket: npm: pypi: docker-hub: git:tcp/9418',
  'software-update': 'windows-update: apple-update: ubuntu-update: debian-update:',
  social: 'facebook: instagram: twitter: linkedin: reddit: whatsapp: telegram: signal: discord: snapchat: pinterest:',
  search: 'google: bing: duckduckgo:',
  ai: 'openai: anthropic: gemini: huggingface:',
  gaming: 'steam:udp/27015 minecraft:tcp/25565 xbox: playstation:',
  backup: 'backup: veeam:tcp/9392,tcp/2500 bacula:tcp/9101,tcp/9102,tcp/9103',
  security: 'crowdstrike: defender: okta: duo: zscaler:',
  anonymizer: 'tor:tcp/9001,tcp/9030,tcp/9050 i2p:',
};

/** Names of producers for what the catalogue names otherwise. */
const ALIASES: Readonly<Record<string, string>> = {
  ssl: 'tls',
  'ssl/tls': 'tls',
  http2: 'https',
  web: 'http',
  krb: 'kerberos',
  krb5: 'kerberos',
  krb_tcp: 'kerberos',
  ldap_tcp: 'ldap',
  ldap_udp: 'ldap',
  postgres: 'postgresql',
  pgsql: 'postgresql',
  rfb: 'vnc',
  dcerpc: 'dce_rpc',
  ikev2: 'ipsec',
  ike: 'ipsec',
  enip: 'ethernetip',
  domain: 'dns',
  'microsoft-ds': 'smb',
  m365: 'office365',
  'microsoft-365': 'office365',
  'office-365': 'office365',
  'ms-teams': 'teams',
  'microsoft-teams': 'teams',
  'amazon-s3': 's3',
};

/** Suffix of a host (SNI, HTTP host) → application. */
const HOSTS: Readonly<Record<string, string>> = {
  'office365.com': 'office365',
  'office.com': 'office365',
  'outlook.com': 'office365',
  'sharepoint.com': 'office365',
  'microsoftonline.com': 'office365',
  'teams.microsoft.com': 'teams',
  'skype.com': 'skype',
  'onedrive.com': 'onedrive',
  'onedrive.live.com': 'onedrive',
  'windowsupdate.com': 'windows-update',
  'update.microsoft.com': 'windows-update',
  'azure.com': 'azure',
  'blob.core.windows.net': 'azure-storage',
  'windows.net': 'azure',
  'slack.com': 'slack',
  'zoom.us': 'zoom',
  'webex.com': 'webex',
  'meet.google.com': 'google-meet',
  'drive.google.com': 'google-drive',
  'docs.google.com': 'google-workspace',
  'mail.google.com': 'google-workspace',
  'google.com': 'google',
  'googleapis.com': 'google-cloud',
  'gemini.google.com': 'gemini',
  'youtube.com': 'youtube',
  'googlevideo.com': 'youtube',
  'ytimg.com': 'youtube',
  'netflix.com': 'netflix',
  'nflxvideo.net': 'netflix',
  'spotify.com': 'spotify',
  'twitch.tv': 'twitch',
  'tiktok.com': 'tiktok',
  'dropbox.com': 'dropbox',
  'box.com': 'box',
  'icloud.com': 'icloud',
  'wetransfer.com': 'wetransfer',
  'mega.nz': 'mega',
  's3.amazonaws.com': 's3',
  'amazonaws.com': 'aws',
  'cloudflare.com': 'cloudflare',
  'github.com': 'github',
  'githubusercontent.com': 'github',
  'gitlab.com': 'gitlab',
  'bitbucket.org': 'bitbucket',
  'npmjs.org': 'npm',
  'pypi.org': 'pypi',
  'pythonhosted.org': 'pypi',
  'docker.io': 'docker-hub',
  'docker.com': 'docker-hub',
  'swcdn.apple.com': 'apple-update',
  'archive.ubuntu.com': 'ubuntu-update',
  'deb.debian.org': 'debian-update',
  'facebook.com': 'facebook',
  'fbcdn.net': 'facebook',
  'instagram.com': 'instagram',
  'twitter.com': 'twitter',
  'x.com': 'twitter',
  'linkedin.com': 'linkedin',
  'reddit.com': 'reddit',
  'whatsapp.net': 'whatsapp',
  'whatsapp.com': 'whatsapp',
  'telegram.org': 'telegram',
  't.me': 'telegram',
  'signal.org': 'signal',
  'discord.com': 'discord',
  'bing.com': 'bing',
  'duckduckgo.com': 'duckduckgo',
  'openai.com': 'openai',
  'chatgpt.com': 'openai',
  'anthropic.com': 'anthropic',
  'claude.ai': 'anthropic',
  'huggingface.co': 'huggingface',
  'steampowered.com': 'steam',
  'salesforce.com': 'salesforce',
  'force.com': 'salesforce',
  'service-now.com': 'servicenow',
  'workday.com': 'workday',
  'atlassian.net': 'atlassian',
  'atlassian.com': 'atlassian',
  'notion.so': 'notion',
  'okta.com': 'okta',
  'crowdstrike.com': 'crowdstrike',
  'zscaler.net': 'zscaler',
  'veeam.com': 'veeam',
};

/** IANA protocol numbers that carry no ports. */
const PROTOCOLS: Readonly<Record<number, string>> = {
  1: 'icmp',
  2: 'igmp',
  4: 'ipip',
  47: 'gre',
  50: 'esp',
  51: 'ah',
  58: 'icmpv6',
  88: 'eigrp',
  89: 'ospf',
  103: 'pim',
  112: 'vrrp',
};

/** Carriers say little of what they carry: a known host beats them. */
const CARRIERS: ReadonlySet<string> = new Set(['tls', 'http', 'https', 'quic', 'websocket']);

interface Catalogue {
  readonly categories: ReadonlyMap<string, string>;
  /** Applications by port: index into `names`, 0 for none. */
  readonly tcp: Uint16Array;
  readonly udp: Uint16Array;
  readonly names: readonly string[];
}

function readCatalogue(): Catalogue {
  const categories = new Map<string, string>();
  const names = [''];
  const tcp = new Uint16Array(65536);
  const udp = new Uint16Array(65536);
  for (const [category, entries] of Object.entries(CATALOGUE)) {
    for (const entry of entries.split(' ')) {
      const [name, ports] = entry.split(':');
      categories.set(name, category);
      const index = names.push(name) - 1;
      for (const port of ports.split(',').filter(Boolean)) {
        const [transport, number] = port.includes('/') ? port.split('/') : ['', port];
        if (transport !== 'udp') tcp[Number(number)] = index;
        if (transport !== 'tcp') udp[Number(number)] = index;
      }
    }
  }
  return { categories, tcp, udp, names };
}

const { categories, tcp, udp, names } = readCatalogue();

/** Index into APPLICATION_NAMES by what the packets themselves say; 0 when they say nothing. Hot: two array reads. */
export function applicationByPort(protocol: number, port: number): number {
  if (protocol === 6 || protocol === 132) return tcp[port];
  return protocol === 17 ? udp[port] : 0;
}

export const APPLICATION_NAMES: readonly string[] = names;

/** By IP protocol number, for protocols without ports. */
export const PROTOCOL_APPLICATIONS: Uint16Array = Uint16Array.from({ length: 256 }, (_, protocol) =>
  Object.hasOwn(PROTOCOLS, protocol) ? names.indexOf(PROTOCOLS[protocol]) : 0,
);

/**
 * Application of a `service` as Zeek (`ssl`, `gssapi,smb`, `-ssl`) or Suricata (`tls`, `failed`) names it; '' for none.
 * Of several, the last one that the catalogue knows is the innermost and so the most telling.
 */
export function applicationOfService(service: string): string {
  const parts = service.toLowerCase().split(',');
  let first = '';
  for (let i = parts.length - 1; i >= 0; i--) {
    const name = canonicalApplication(parts[i].trim());
    if (name === '' || name === 'failed' || name === 'unknown' || name.startsWith('-')) continue;
    if (categories.has(name)) return name;
    first = name;
  }
  return first;
}

export function isCarrier(application: string): boolean {
  return CARRIERS.has(application);
}

/** Application of a host name, by its longest known suffix; '' for none. */
export function applicationOfHost(host: string): string {
  let name = host.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
  for (let dots = 0; dots < 16 && name !== ''; dots++) {
    if (Object.hasOwn(HOSTS, name)) return HOSTS[name];
    const dot = name.indexOf('.');
    if (dot < 0) return '';
    name = name.slice(dot + 1);
  }
  return '';
}

/** Category of an application by the built-in table; '' for none. */
export function categoryOfApplication(application: string): string {
  return categories.get(canonicalApplication(application.toLowerCase())) ?? '';
}

function canonicalApplication(name: string): string {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
}

/** Every category of the built-in table. */
export const CATEGORIES: readonly string[] = Object.keys(CATALOGUE);
