import assert from 'node:assert/strict';
import { it } from 'node:test';
import { RunCounts } from '../delivery/summary.ts';
import { noteLines, summaryText } from './report.ts';

it('shows the first few notes of a kind, each path once, and counts the rest', () => {
  const note = (path: string) => ({ code: 'already_read', path, message: 'holds nothing new.' }) as const;
  const notes = Array.from({ length: 1200 }, (_, i) => note(`/logs/${i}.log`));
  const waiting = { code: 'waiting', path: '/logs/*.gz', message: 'matches no file yet; waiting for one.' } as const;
  assert.deepEqual(noteLines([...notes, waiting]), [
    '/logs/0.log: holds nothing new.',
    '/logs/1.log: holds nothing new.',
    '/logs/2.log: holds nothing new.',
    '1,197 more files: already_read',
    '/logs/*.gz: matches no file yet; waiting for one.',
  ]);
  assert.equal(noteLines(notes.slice(0, 4)).length, 4);
  assert.match(noteLines([note('/a\u001b.log')])[0], /^\/a\\x1b\.log: /);
});

it('says loudly that nothing was stored when no configuration knows a tenant', () => {
  const textOf = (accepted: number): string => {
    const summary = {
      ...new RunCounts(() => {}).summary(1),
      records: { read: 5, accepted, rejected: 5 - accepted, skipped: 0 },
      rejects: { tenant_unknown: 5 - accepted },
    };
    return summaryText({ summary, notes: [], verdict: null, created: [], data: 'd', hints: [], ordered: false });
  };
  assert.match(textOf(0), /^NOTHING WAS STORED: .*\n.*--config FILE .*demo\.yaml.*\n.*--tenant SLUG/m);
  assert.doesNotMatch(textOf(1), /NOTHING/);
  assert.match(textOf(0), /^next:\n {2}npx weir alerts --data d$/m);
});
