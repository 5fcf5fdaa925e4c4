import assert from 'node:assert/strict';
import { it } from 'node:test';
import { noteLines } from './report.ts';

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
});
