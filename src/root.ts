// Where the package lies, whether it runs from dist/ or from an installed copy: files that are not code are found from here.

import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function find(from: string): string {
  let folder = from;
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('package.json of weir not found');
    folder = parent;
  }
  return folder;
}

export const PACKAGE_ROOT = find(dirname(fileURLToPath(import.meta.url)));
