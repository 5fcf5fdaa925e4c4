// What the process itself uses, asked for when it is scraped.

import type { Metrics } from './registry.ts';

export function reportProcess(metrics: Metrics): void {
  const startedAt = Date.now() / 1000 - process.uptime();
  metrics.onScrape(() => {
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
    metrics.set('weir_memory_bytes', rss, { what: 'resident' });
    metrics.set('weir_memory_bytes', heapUsed, { what: 'heap' });
    metrics.set('weir_memory_bytes', external, { what: 'external' });
    metrics.set('weir_memory_bytes', arrayBuffers, { what: 'array_buffers' });
    const { user, system } = process.cpuUsage();
    metrics.total('weir_cpu_seconds_total', user / 1e6, { mode: 'user' });
    metrics.total('weir_cpu_seconds_total', system / 1e6, { mode: 'system' });
    metrics.total('weir_main_thread_busy_seconds_total', performance.eventLoopUtilization().active / 1000);
    metrics.set('weir_start_timestamp_seconds', startedAt);
  });
}
