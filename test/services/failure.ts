// What can go wrong with the services, each under a stable code.

import { OperationalError } from '../../src/cli/verb.ts';

export const SERVICE_CODES = {
  services_tool_missing: 'a tool that fetches or runs a server is not installed',
  services_tool_unfit: 'a tool is installed in a version that cannot be used',
  services_platform_unfit: 'a server is not published for this platform',
  services_download_failed: 'a tool could not fetch a server: no network, or the package is not to be had',
  services_home_unfit: 'the directory for data and logs cannot be used',
  services_port_taken: 'another process listens on a port that a server needs',
  services_busy: 'another command has been working on the same thing for too long',
  services_ended: 'a server ended before it was ready',
  services_not_ready: 'a server was not ready in time, and was ended',
  services_not_running: 'a server that should be killed does not run',
} as const;

export type ServiceCode = keyof typeof SERVICE_CODES;

/** Never swallowed: the command prints it with its code, a test that may skip shows it as the reason. */
export class ServiceError extends OperationalError {
  declare readonly code: ServiceCode;
  constructor(code: ServiceCode, message: string, cause?: unknown) {
    super(code, message, cause);
  }
}

const LACKING: ReadonlySet<string> = new Set<ServiceCode>([
  'services_tool_missing',
  'services_tool_unfit',
  'services_platform_unfit',
]);

/** Whether this machine lacks what fetches or runs the servers: the one reason for which a test may skip. */
export function isLacking(error: unknown): error is ServiceError {
  return error instanceof ServiceError && LACKING.has(error.code);
}
