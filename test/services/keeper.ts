// Outlives a test to end its servers when the test could not: its input ends when the test's process does, by any death.
// Argument: the guard as JSON. Input: 'done' after an orderly stop.

import { text } from 'node:stream/consumers';
import { type Guard, releaseAll } from './index.ts';

const said = await text(process.stdin).catch(() => '');
if (said !== 'done') await releaseAll(JSON.parse(process.argv[2]) as Guard);
