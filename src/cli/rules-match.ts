// weir rules match: which rules hit which records of an input, through the stages of a run, without storing anything.

import { RuleRun } from '../../workers/rule-run.ts';
import { inputForVerb } from './rules-input.ts';
import { rulesForVerb, tellErrors } from './rules-load.ts';
import { printable } from './table.ts';
import type { Io, Values } from './verb.ts';

/** Rejected records that are shown one by one. */
const SHOWN = 5;

export async function matchRules(values: Values, io: Io): Promise<number> {
  const loaded = await rulesForVerb(values);
  const broken = tellErrors(loaded.problems, io);
  const input = await inputForVerb(values, loaded, io);
  const run = new RuleRun(input.snapshot, loaded);
  let hits = 0;
  let shown = 0;
  for await (const batch of input.batches()) {
    let text = '';
    try {
      const found = run.run({ ...batch, appendedAtMs: batch.ranges[0]?.appendedAtMs ?? 0 }, (reject) => {
        if (shown++ >= SHOWN) return;
        io.stderr.write(`record ${reject.record}: not read: ${printable(reject.detail)} [${reject.code}]\n`);
      });
      for (const { record, file, rule } of found) {
        const where = input.pathOf(file);
        text += values.json
          ? `${JSON.stringify(where === '' ? { record, rule: rule.id } : { record, rule: rule.id, input: where })}\n`
          : `${where === '' ? '' : `${printable(where)}: `}record ${record}: ${rule.level}: ${printable(rule.title)} (${rule.id})\n`;
      }
      hits += found.length;
    } finally {
      batch.release();
    }
    if (text !== '') await write(io, text);
  }
  for (const note of input.notes()) io.stderr.write(`${printable(note)}\n`);
  const rejected = [...run.rejected].map(([code, count]) => `${count} ${code}`);
  const failed = rejected.length === 0 ? '' : `; not read: ${rejected.join(', ')}`;
  io.stderr.write(`${run.read} records, ${hits} hits of ${loaded.rules.length} rules${failed}\n`);
  return values.strict && (broken || rejected.length > 0) ? 1 : 0;
}

/** Waits where the reader of a pipe is slower. */
async function write({ stdout }: Io, text: string): Promise<void> {
  if (stdout.write(text) === false && 'once' in stdout)
    await new Promise<void>((resolve) => (stdout as NodeJS.WriteStream).once('drain', () => resolve()));
}
