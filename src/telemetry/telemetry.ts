// What a run tells about itself while it goes on: metrics, what is under way, health.

import { Health } from './health.ts';
import { reportProcess } from './process.ts';
import { Metrics } from './registry.ts';
import { Stages } from './stages.ts';

export class Telemetry {
  readonly metrics = new Metrics();
  readonly stages = new Stages((stage, seconds) => {
    this.metrics.add('weir_stage_tasks_total', 1, { stage });
    this.metrics.add('weir_stage_seconds_total', seconds, { stage });
  });
  readonly health = new Health(this.stages);

  constructor() {
    reportProcess(this.metrics);
  }
}
