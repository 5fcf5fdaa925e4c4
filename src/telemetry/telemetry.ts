// What a run tells about itself while it goes on: metrics, what is under way, health.

import { Health } from './health.ts';
import { Metrics } from './metrics.ts';
import { Stages } from './stages.ts';

export class Telemetry {
  readonly metrics = new Metrics();
  readonly stages = new Stages();
  readonly health = new Health(this.stages);
}
